from . import validators as validators
from ._transferability import CORRELATIONS as CORRELATIONS
from ._transferability import agreement as agreement
from ._transferability import h_score as h_score
from ._transferability import leep as leep
from ._transferability import logme as logme
from ._transferability import nce as nce
