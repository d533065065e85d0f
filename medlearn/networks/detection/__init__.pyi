from ._decoding import decode as decode
from ._losses import box_loss as box_loss
from ._losses import heatmap_loss as heatmap_loss
from ._targets import STRIDE as STRIDE
from ._targets import assign as assign
from ._targets import encode_targets as encode_targets
