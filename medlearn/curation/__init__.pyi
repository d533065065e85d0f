from . import duplicates as duplicates
from . import label_noise as label_noise
from . import labelling as labelling
from . import quality as quality
