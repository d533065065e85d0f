"""The console that scrolls through the three planes of a volume."""

from collections.abc import Sequence

import ipywidgets
import numpy as np
from numpy.typing import ArrayLike

from medlearn import plots
from medlearn.plots import _volumes
from medlearn.teaching._panels import STYLE, console, slider

_GUIDE = (240, 228, 66)
_GAP = 4  # pixels between the planes


def volume_planes(
    volume: ArrayLike,
    mask: ArrayLike | None = None,
    spacing: ArrayLike = (1.0, 1.0, 1.0),
    *,
    mask_classes: Sequence[str] = (),
    width: int = 480,
) -> ipywidgets.HBox:
    """Make a console that scrolls through a volume: coronal and sagittal above, axial below.

    The three planes meet in the voxel of the dials, which lines mark; the text below says what
    that voxel holds. The page of a lesson, which has no kernel, shows
    `medlearn.plots.volume_planes` instead.

    Parameters
    ----------
    volume : array_like, shape (Z, Y, X)
        Values from 0 to 255, with the axes of `datasets.Volumes`.
    mask : array_like of int, shape (Z, Y, X), optional
        The class index of each voxel; a dial fades its colours in and out.
    spacing : array_like of three floats
        Size of a voxel along z, y and x in mm.
    mask_classes : sequence of str
        The names of the classes, the background first.
    width : int
        Of the picture, in pixels of the screen.

    Returns
    -------
    ipywidgets.HBox
        As from `console`.

    Raises
    ------
    ValueError
        If the volume has no three dimensions, or the mask another shape.
    """
    voxels, classes, lengths = _volumes.checked(volume, mask, spacing)
    dials: dict[str, ipywidgets.Widget] = {
        name: slider(name, length // 2, 0, length - 1, 1)
        for name, length in zip("zyx", voxels.shape, strict=True)
    }
    if classes is not None:
        dials["colours"] = ipywidgets.FloatSlider(
            0.5, min=0, max=1, step=0.1, description="colours", style=STYLE
        )

    def _shoot(z, y, x, colours=0.0):
        voxel = z, y, x
        picture = _three_planes(voxels, classes, lengths, voxel, colours, width)
        return picture, [_reading(voxels, classes, mask_classes, lengths, voxel)]

    return console(_shoot, dials, width=width)


def _three_planes(voxels, mask, lengths, voxel, opacity: float, width: int) -> np.ndarray:
    """The planes through a voxel on a black square: uint8 (width, width, 3)."""
    depth, height, breadth = np.array(voxels.shape) * lengths  # mm
    scale = (width - _GAP) / max(breadth + height, depth + height)  # pixels per mm
    picture = np.zeros((width, width, 3), np.uint8)
    down, across = round(depth * scale) + _GAP, round(breadth * scale) + _GAP
    for axis, (top, left) in enumerate([(down, 0), (0, 0), (0, across)]):
        plane = _plane(voxels, mask, axis, voxel, opacity)
        plane = _scaled(plane, np.delete(lengths, axis) * scale)
        rows, columns = plane.shape[0], plane.shape[1]
        part = picture[top : top + rows, left : left + columns]
        part[...] = plane[: part.shape[0], : part.shape[1]]
    return picture


def _plane(voxels, mask, axis: int, voxel, opacity: float) -> np.ndarray:
    """One plane, painted, with the lines of the other two: uint8 (H, W, 3)."""
    grey = _volumes.upright(voxels, axis, voxel[axis])
    picture = np.repeat(np.clip(grey, 0, 255)[..., None], 3, axis=-1)
    if mask is not None and opacity:
        classes = _volumes.upright(mask, axis, voxel[axis])
        picture = 255 * plots.blend_mask(picture, classes, opacity)
    picture = picture.astype(np.uint8)
    row, column = np.delete(voxel, axis)
    row = row if axis == 0 else len(grey) - 1 - row  # the head is up
    picture[row, :, :] = picture[row, :, :] // 2 + np.array(_GUIDE, np.uint8) // 2
    picture[:, column, :] = picture[:, column, :] // 2 + np.array(_GUIDE, np.uint8) // 2
    return picture


def _scaled(plane: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """A plane whose voxels are so many pixels high and wide, by the nearest voxel."""
    sides = np.maximum(1, np.rint(np.array(plane.shape[:2]) * pixels)).astype(int)
    rows, columns = (
        ((np.arange(side) + 0.5) * length / side).astype(int)
        for side, length in zip(sides, plane.shape[:2], strict=True)
    )
    return plane[rows][:, columns]


def _reading(voxels, mask, mask_classes, lengths, voxel) -> str:
    """What a voxel holds, and where it lies in the volume."""
    z, y, x = voxel
    text = f"volume[{z}, {y}, {x}] = {voxels[voxel]:.0f}"
    if mask is not None:
        index = int(mask[voxel])
        name = mask_classes[index] if index < len(mask_classes) else f"class {index}"
        text += f", {name}"
    millimetres = " x ".join(f"{length:g}" for length in lengths)
    return f"{text}; a voxel has {millimetres} mm (z, y, x)"
