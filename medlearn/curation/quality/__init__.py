"""Image quality: four dials that degrade an image, and four measures that notice.

    blurred = quality.blur(images, 2.0)                      # a new array of uint8
    normal = quality.normal_range(quality.measure(training_images))
    alarms = quality.out_of_range(quality.measure(images), normal)       # alarms["sharpness"]

The dials act on finished images, so they work on real ones too. What happens before the camera
(focus, lamp, dye) has dials of its own in the virtual instruments (`smear.adjust`).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
