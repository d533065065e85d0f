"""A U-Net in three dimensions that starts from random weights."""

from medlearn import _checks
from medlearn._keras import keras
from medlearn.networks.volumes._layers import GROUP, convolve, probabilities


def unet(
    classes: int,
    *,
    size: int | tuple[int, int, int] | None = None,
    input_channels: int = 1,
    channels: int = 16,
    steps: int = 3,
    seed: int = 0,
) -> keras.Model:
    """Build a small U-Net for volumes, with random weights.

    It has two convolutions of 3 x 3 x 3 at each resolution on the way down and one on the way up.
    The finest resolution has no normalisation, where it would cost as much as a convolution; the
    others have group normalisation.

    Parameters
    ----------
    classes : int
        Number of classes, the background included, at least 2.
    size : int or tuple of int, optional
        Slices, rows and columns of a patch; one number for all three. Multiples of 2 ** `steps`.
        None for any size.
    input_channels : int
        Channels of a voxel; several sequences of one head are several channels.
    channels : int
        Channels at full resolution, a multiple of 4; twice as many at each step down.
    steps : int
        How often the sides are halved.
    seed : int
        Draws the weights.

    Returns
    -------
    keras.Model
        Volumes (N, Z, Y, X, input_channels), 0 to 255, in; probabilities float32
        (N, Z, Y, X, classes) out.

    Raises
    ------
    ValueError
        For arguments out of range, and sides that cannot be halved so often.

    References
    ----------
    Çiçek et al. 2016 (arXiv:1606.06650), 3D U-Net.
    """
    classes = _checks.whole_number("classes", classes, 2)
    _checks.whole_number("steps", steps, 1)
    check_channels(channels)
    sides = check_sides(size, 2**steps)
    volume = keras.Input((*sides, input_channels), name="volume")
    x = keras.layers.Rescaling(1 / 64, offset=-2.0, name="scaling")(volume)
    x, skips = _down(x, channels, steps, seed)
    for number in range(1, steps + 1):
        skip = skips[-number]
        x = _up(x, skip, f"step_{number}", seed + 10 * number, norm=number < steps)
    return keras.Model(volume, probabilities(x, classes, seed), name="unet_3d")


def check_channels(channels: int) -> None:
    """Raise ValueError unless the channels are a multiple of the size of a group."""
    _checks.whole_number("channels", channels, GROUP)
    if channels % GROUP:
        raise ValueError(f"channels={channels} is not a multiple of {GROUP}; try 8 or 16.")


def check_sides(size, multiple: int) -> tuple[int | None, ...]:
    """Return slices, rows and columns; None for any.

    Parameters
    ----------
    size : int, tuple of int, or None
        One side for all, three sides, or any.
    multiple : int
        What must divide each.

    Raises
    ------
    ValueError
        For sides that it does not divide.
    """
    sides = tuple(size) if isinstance(size, tuple | list) else (size,) * 3
    known = [side for side in sides if side is not None]
    for side in known:
        _checks.whole_number("a side of the patch", side, 1)
    if len(sides) != 3 or any(side % multiple for side in known):
        raise ValueError(
            f"size={size!r} is not (slices, rows, columns) of which {multiple} divides each: "
            f"try {tuple(-(-(side or 32) // multiple) * multiple for side in sides)}."
        )
    return sides


def fixed_sides(size) -> tuple[int, int, int]:
    """Return slices, rows and columns of a patch.

    Parameters
    ----------
    size : int or tuple of int
        One side for all, or three sides.

    Raises
    ------
    ValueError
        For sides that are not given.
    """
    slices, rows, columns = check_sides(size, 1)
    if slices is None or rows is None or columns is None:
        raise ValueError(
            f"size={size!r} leaves a side of the patch open: give (slices, rows, columns), "
            "such as (32, 48, 32)."
        )
    return slices, rows, columns


def _down(x, channels: int, steps: int, seed: int):
    """The coarsest maps, and the skips from fine to coarse."""
    skips = []
    for level in range(steps + 1):
        if level:
            skips.append(x)
            x = keras.layers.MaxPooling3D(2, name=f"block_{level}_pool")(x)
        for part in ("look", "again"):
            seed += 1
            name = f"block_{level}_{part}"
            x = convolve(x, channels * 2**level, 3, name, 1000 * seed, norm=level > 0)
    return x, skips


def _up(x, skip, name: str, seed: int, norm: bool):
    """Enlarge, join the skip and convolve."""
    channels = skip.shape[-1]
    x = convolve(x, channels, 1, f"{name}_squeeze", seed + 1)
    x = keras.layers.UpSampling3D(2, name=f"{name}_up")(x)
    x = keras.layers.Concatenate(name=f"{name}_join")([x, skip])
    return convolve(x, channels, 3, f"{name}_decode", seed + 2, norm=norm)
