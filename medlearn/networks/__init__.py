"""Networks on a pretrained encoder, one builder for each task.

    model = networks.classifier(encoder, classes=5)        # images in, class probabilities out
    model = networks.segmenter(encoder, classes=3)         # a class for every pixel
    model = networks.detector(encoder, classes=3)          # boxes; see networks.detection
    probabilities = networks.segment(model, images)        # predictions of a segmenter
    maps = networks.encoder_maps(model, images)            # computed once, for networks.decoder
    boxes = networks.detect(model, images)                 # predictions of a detector

All are Functional Keras models in which the encoder is one layer.
"""

import lazy_loader

from medlearn import _renamed

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__getattr__ = _renamed.with_old_names(
    __name__,
    __getattr__,
    {
        "centre_loss": "detection.heatmap_loss",
        "sides_loss": "detection.box_loss",
        "targets": "detection.encode_targets",
        "assign": "detection.assign",
        "decode": "detection.decode",
        "STRIDE": "detection.STRIDE",
        "skips": "skip_layers",
        "small": "small_cnn",
    },
)
