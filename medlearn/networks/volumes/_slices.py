"""Volumes as stacks of slices, which networks for images can look at."""

from medlearn import _checks
from medlearn._keras import keras
from medlearn.networks.volumes._layers import ImagesAsSlices, SlicesAsImages
from medlearn.networks.volumes._unet import fixed_sides


def slice_by_slice(
    model: keras.Model, slices: int, *, enlarge: int = 1, neighbours: bool = False
) -> keras.Model:
    """Return a segmenter of volumes that asks a segmenter of images about each slice.

    Parameters
    ----------
    model : keras.Model
        A segmenter of images, as `networks.segmenter` builds it, for images of one size.
    slices : int
        Number of slices of a patch.
    enlarge : int
        How many times larger than a slice the images are that the model takes. The probabilities
        of the enlarged pixels of a voxel are averaged.
    neighbours : bool
        Whether the three channels are the slice before, the slice, and the slice after (2.5-D), or
        three times the slice (2-D).

    Returns
    -------
    keras.Model
        Volumes (N, slices, Y, X, 1), 0 to 255, in; probabilities float32 (N, slices, Y, X, classes)
        out. The model is a layer of it, and shares its weights.

    Raises
    ------
    ValueError
        For a model of images of any size, or of a size that `enlarge` does not divide.
    """
    _checks.whole_number("slices", slices, 1)
    _checks.whole_number("enlarge", enlarge, 1)
    sides = tuple(model.input_shape[1:3])
    if None in sides or any(side % enlarge for side in sides):
        raise ValueError(
            f"{model.name} takes images of {' x '.join(map(str, sides))} pixels; a size is needed "
            f"that enlarge={enlarge} divides: networks.segmenter(..., size=(height, width))."
        )
    size = (slices, *(side // enlarge for side in sides))
    volume = keras.Input((*size, 1), name="volume")
    x = model(to_images(volume, enlarge, neighbours))
    if enlarge > 1:
        x = keras.layers.AveragePooling2D(enlarge, dtype="float32", name="shrink")(x)
    output = ImagesAsSlices(slices, dtype="float32", name="probabilities")(x)
    return keras.Model(volume, output, name=f"{model.name}_by_slice")


def to_images(volume, enlarge: int, neighbours: bool):
    """Return the slices of volumes as images with three channels.

    Parameters
    ----------
    volume : tensor, shape (N, Z, Y, X, 1)
        Volumes; all but N is known.
    enlarge : int
        By which height and width are multiplied, bilinear.
    neighbours : bool
        As in `slice_by_slice`; beyond the first and the last slice, these are repeated.

    Returns
    -------
    tensor, shape (N * Z, enlarge * Y, enlarge * X, 3)
        The images.
    """
    images = SlicesAsImages(neighbours, name="slices")(volume)
    if enlarge == 1:
        return images
    bilinear = keras.layers.UpSampling2D(enlarge, interpolation="bilinear", name="enlarge")
    return bilinear(images)


def check_slices(size, enlarge: int) -> tuple[int, int, int]:
    """Return slices, rows and columns of a patch, for a network that looks at its slices.

    Parameters
    ----------
    size : int or tuple of int
        The three sides, or one for all.
    enlarge : int
        How many times larger the slices are shown.

    Raises
    ------
    ValueError
        For an unknown side, and slices that are shown with less than 32 pixels a side.
    """
    _checks.whole_number("enlarge", enlarge, 1)
    sides = fixed_sides(size)
    if min(sides[1:]) * enlarge < 32:
        raise ValueError(
            f"size={size!r} with enlarge={enlarge} shows the encoder slices of less than 32 pixels "
            "a side: give (slices, rows, columns) of a patch, such as (32, 48, 32)."
        )
    return sides
