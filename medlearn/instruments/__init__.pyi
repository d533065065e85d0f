from . import mri as mri
from . import smear as smear
