from ._catalogue import flops as flops
from ._catalogue import table as table
from ._catalogue import taps as taps
from ._load import NAMES as NAMES
from ._load import load as load
