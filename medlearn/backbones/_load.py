"""A backbone by its name."""

from difflib import get_close_matches
from pathlib import Path

from medlearn._keras import keras
from medlearn.backbones import _models, _pretrained
from medlearn.backbones._catalogue import CATALOGUE

NAMES = tuple(CATALOGUE)
_OFFLINE = tuple(name for name in NAMES if CATALOGUE[name].offline)


def load(
    name: str,
    *,
    weights: str | Path | None = "imagenet",
    head: bool = False,
    size: int | None = None,
    seed: int = 0,
) -> keras.Model:
    """A backbone as a flat Keras model: RGB images of 0 to 255 go in, its preprocessing is inside.

    Output: float32 (N, h, w, channels), the final map at 1/32 of the input's side (pool it as you need;
    `features.extract` takes the mean); with `head`, float32 (N, 1000), the ImageNet probabilities.
    `weights`: "imagenet" (from the installed package, or Keras' own download), the path of a weights file, or
    None for random ones drawn from `seed`. `size`: side of the square input in pixels, at least 32, or None for
    any size (`vgg16` with head: 224). Published at the sizes in `table()`.
    Raises ValueError, FileNotFoundError or ConnectionError, saying what to do next.
    """
    _check(name, size)
    from_network = weights == "imagenet" and name in _models.APPLICATIONS
    if from_network:
        return _pretrained.downloaded(name, head=head, size=size, offline=_OFFLINE)
    if name in _models.LITE:
        model = _models.efficientnet_lite(name, head=head, size=size, seed=seed)
    else:
        model = _models.application(name, head=head, size=size)
    if weights is None:
        _pretrained.randomise(model, seed)
    elif weights == "imagenet":
        _pretrained.assign(model, _pretrained.shipped(name))
    else:
        _pretrained.load_file(model, weights)
    return model


def _check(name: str, size: int | None) -> None:
    if name not in NAMES:
        near = (
            get_close_matches(str(name).lower().replace("-", "_"), NAMES, n=3, cutoff=0.4) or NAMES
        )
        raise ValueError(f"There is no backbone {name!r}; do you mean {' or '.join(near)}?")
    if size is not None and (not isinstance(size, int) or size < 32):
        raise ValueError(
            f"size={size!r} is not a number of pixels of at least 32; None takes any size."
        )
