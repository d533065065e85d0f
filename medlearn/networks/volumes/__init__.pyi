from ._patches import patches as patches
from ._segmenter import segmenter as segmenter
from ._segmenter import slice_maps as slice_maps
from ._slices import slice_by_slice as slice_by_slice
from ._unet import unet as unet
