from . import adaptation as adaptation
from . import backbones as backbones
from . import curation as curation
from . import datasets as datasets
from . import explain as explain
from . import features as features
from . import inference as inference
from . import instruments as instruments
from . import metrics as metrics
from . import monitoring as monitoring
from . import networks as networks
from . import plots as plots
from . import report as report
from . import selection as selection
from . import splits as splits
from . import teaching as teaching
from . import training as training
from . import transfer as transfer
from ._keras import keras as keras
from ._keras import tf as tf

__version__: str
