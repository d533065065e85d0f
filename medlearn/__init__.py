"""Transfer learning and domain adaptation for medical images: the library of a notebook course.

    from medlearn import datasets, features     # a room loads when it is first used
    from medlearn import keras, tf              # so do Keras and TensorFlow, without noise

`import medlearn` loads neither TensorFlow nor any other large library.
"""

import lazy_loader

from medlearn._saved import register_with_keras as _register_with_keras

__version__ = "0.2.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

_register_with_keras()
