"""What a detector learns from, its losses, and how its outputs become boxes.

    model = networks.detector(encoder, classes=3)
    model.compile(
        "adam", loss={"centres": detection.heatmap_loss, "sides": detection.box_loss}
    )
    model.fit(images, detection.encode_targets(boxes, images.shape[1:3], classes=3))
    boxes = networks.detect(model, images)     # per image (k, 6): y0, x0, y1, x1, class, score

The image is divided into cells of `STRIDE` pixels. For each cell the detector gives the probability
that the centre of an object lies there, and the distances from the cell's middle to the object's
four sides. Sources: Zhou et al. 2019, Objects as points (arXiv:1904.07850), for the centres; Tian
et al. 2019, FCOS (arXiv:1904.01355), for the sides; Liu et al. 2019, TTFNet (arXiv:1909.00700), for
one weight per object.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
