from . import charts as charts
from . import conformal as conformal
from . import estimates as estimates
from . import outliers as outliers
