"""A block of a subject's head, prepared once, so that volumes of it can be scanned at many sites.

A thick slice is the mean of several thin slabs: tissues share its voxels, as in a real scanner.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from medlearn.instruments.mri import _anatomy, _atlas, _painting
from medlearn.instruments.mri._anatomy import FIELD_OF_VIEW
from medlearn.instruments.mri._slices import MASK_CLASSES
from medlearn.instruments.mri._subjects import Subject

EXTENT = (96.0, 192.0)  # mm: height of the block, and its sides; the whole brain is as broad
LOWEST = -28.0  # MNI mm: the lower side of the block
_THICKEST = 3.0  # mm: thicker slices are means of several slabs
_SMALLEST_LESION = 30.0  # mm3: smaller ones stay with the tissue around them (assumption)
_ALL_NEIGHBOURS = np.ones((3, 3, 3))


class Slab(NamedTuple):
    """The tissues of one slice of a block: its pixels in the head (N,), and shares (tissues, N)."""

    pixels: np.ndarray
    tissues: np.ndarray


@dataclass(frozen=True, eq=False)
class Block:
    """The head of one subject in voxels: all that does not depend on the site.

    Attributes
    ----------
    subject : Subject
        Whose head it is.
    spacing : tuple of float
        Thickness of a slice and side of a pixel in mm.
    side : int
        Pixels along a side of the scanned slices, which hold the whole head.
    margin : int
        Pixels at each side of a scanned slice that are not part of the volume.
    slabs : list of Slab
        One per slice, from below upwards.
    mask : numpy.ndarray of uint8, shape (Z, Y, X)
        Index into `MASK_CLASSES`; it holds at every site.
    """

    subject: Subject
    spacing: tuple[float, float]
    side: int
    margin: int
    slabs: list[Slab]
    mask: np.ndarray

    @property
    def affine(self) -> np.ndarray:
        """From voxels (x, y, z) to mm towards the right, the front and the head."""
        thickness, pixel = self.spacing
        half = (self.mask.shape[1] - 1) / 2 * pixel
        affine = np.diag([-pixel, -pixel, thickness, 1.0])
        affine[:3, 3] = half, half, LOWEST + thickness / 2
        return affine


def _grid(thickness: float, pixel: float) -> tuple[int, int, int]:
    """The number of slices, the side of the volume, and the margin around it in pixels."""
    slices = max(1, round(EXTENT[0] / thickness))
    side = max(1, round(EXTENT[1] / pixel))
    margin = max(0, math.ceil((FIELD_OF_VIEW - side * pixel) / (2 * pixel)))
    return slices, side, margin


def prepare_block(subject: Subject, thickness: float, pixel: float) -> Block:
    """Return the head of a subject in voxels.

    Parameters
    ----------
    subject : Subject
        Whose head.
    thickness, pixel : float
        Thickness of a slice and side of a pixel in mm.
    """
    slices, side, margin = _grid(thickness, pixel)
    scanned = side + 2 * margin
    slabs, classes, lesions = [], [], []
    for index in range(slices):
        height = LOWEST + (index + 0.5) * thickness
        slab, truth, lesion = _slab(subject, height, thickness, scanned, scanned * pixel)
        slabs.append(slab)
        classes.append(_image(slab.pixels, truth, scanned, margin))
        lesions.append(_image(slab.pixels, lesion, scanned, margin))
    mask = _with_lesions(np.stack(classes), np.stack(lesions), thickness * pixel**2)
    return Block(subject, (thickness, pixel), scanned, margin, slabs, mask)


def _slab(
    subject: Subject, height: float, thickness: float, side: int, width: float
) -> tuple[Slab, np.ndarray, np.ndarray]:
    """One slice: its tissues, and for its pixels the class and whether they are lesion (N,)."""
    parts = math.ceil(thickness / _THICKEST - 1e-9)
    slabs, brains, lesions = [], [], []
    for part in range(parts):
        middle = height + ((part + 0.5) / parts - 0.5) * thickness
        plane = _anatomy.cut(subject.head, middle, side, subject.lesion, width)
        brain = _anatomy.brain_fractions(subject.head, plane, thickness / parts)
        ill = _painting.lesion_shares(brain, subject.lesion, plane, thickness / parts)
        tissues = _grainy(subject, plane, brain, ill, thickness / parts)
        slabs.append(Slab(plane.pixels, tissues))
        brains.append(Slab(plane.pixels, brain))
        lesions.append(Slab(plane.pixels, ill.sum(axis=0, keepdims=True)))
    slab, whole = _mean(slabs, side), _mean(brains, side)
    is_lesion = _mean(lesions, side).tissues[0] > 0.5
    background = 1 - whole.tissues.sum(axis=0, keepdims=True)
    truth = np.argmax(np.concatenate([background, whole.tissues]), axis=0).astype(np.uint8)
    return slab, truth, is_lesion


def _mean(slabs: list[Slab], side: int) -> Slab:
    """The mean of thin slabs, at all pixels that are in the head in one of them."""
    if len(slabs) == 1:
        return slabs[0]
    in_head = np.zeros(side * side, bool)
    total = np.zeros((len(slabs[0].tissues), side * side), np.float32)
    for slab in slabs:
        in_head[slab.pixels] = True
        total[:, slab.pixels] += slab.tissues
    pixels = np.flatnonzero(in_head)
    return Slab(pixels, total[:, pixels] / len(slabs))


def _grainy(subject: Subject, plane, brain, ill, thickness: float) -> np.ndarray:
    """The fractions of all tissues (tissues, N) with the faint unevenness of living tissue."""
    healthy = _anatomy.with_skull(brain, plane)
    fractions = _painting.with_lesion(healthy, ill, subject.lesion, subject.head, plane, thickness)
    offset = np.array([13, 29, 7]) * subject.number
    return fractions * (1 + np.float32(0.015) * _atlas.textures(plane.anatomy, offset)[1])


def _image(pixels: np.ndarray, values: np.ndarray, side: int, margin: int) -> np.ndarray:
    """Values of pixels as a slice of the volume, 0 elsewhere."""
    flat = np.zeros(side * side, values.dtype)
    flat[pixels] = values
    return flat.reshape(side, side)[margin : side - margin, margin : side - margin]


def _with_lesions(classes: np.ndarray, lesion: np.ndarray, voxel: float) -> np.ndarray:
    """The classes of the voxels with the islands of lesion that are large enough (mm3)."""
    islands, _ = ndimage.label(lesion, _ALL_NEIGHBOURS)
    is_large = np.bincount(islands.ravel()) * voxel >= _SMALLEST_LESION
    is_large[0] = False  # the background
    classes[is_large[islands]] = MASK_CLASSES.index("lesion")
    return classes
