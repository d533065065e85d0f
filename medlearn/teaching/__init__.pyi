from . import budget as budget
from . import check as check
from . import doctor as doctor
from . import practice as practice
from . import progress as progress
from . import results as results
from . import session as session
from . import widgets as widgets
