"""Patches of volumes: what a segmenter of volumes learns from."""

from collections.abc import Sequence

import numpy as np

from medlearn import _checks
from medlearn.networks.volumes._unet import fixed_sides


def patches(
    images: Sequence[np.ndarray],
    masks: Sequence[np.ndarray],
    size: int | tuple[int, int, int],
    count: int,
    *,
    mirror: Sequence[int] = (),
    contrast: float = 0.0,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw patches of one size from volumes of any sizes, with random changes if asked for.

    Each volume gives equally many patches, or one more. Volumes that are smaller than a patch are
    mirrored at their edges, image and mask alike.

    Parameters
    ----------
    images : sequence of numpy.ndarray, shape (Z, Y, X)
        Volumes, 0 to 255, such as ``data.images``.
    masks : sequence of numpy.ndarray, shape (Z, Y, X)
        Class of each voxel, such as ``data.masks``.
    size : int or tuple of int
        Slices, rows and columns of a patch; one number for all three.
    count : int
        Number of patches, at least 1.
    mirror : sequence of int
        Axes (0 to 2) along each of which a patch is mirrored with probability one half. Give none
        along which left and right must be told apart.
    contrast : float
        Standard deviation of the logarithm of a power that grey values are raised to; 0.2 is mild,
        0 leaves them as they are.
    seed : int
        Draws volumes, places and changes.

    Returns
    -------
    tuple of numpy.ndarray
        Patches float32 (count, Z, Y, X) and their masks uint8 of the same shape.

    Raises
    ------
    ValueError
        For unequal numbers or shapes of images and masks, and arguments out of range.
    """
    sides = fixed_sides(size)
    _checks.whole_number("count", count, 1)
    _check_pairs(images, masks)
    if not contrast >= 0 or not set(mirror) <= {0, 1, 2}:
        raise ValueError(
            f"contrast={contrast!r} is a number of at least 0, and mirror={mirror!r} holds axes "
            "from 0 to 2."
        )
    random = np.random.default_rng(seed)
    rounds = [random.permutation(len(images)) for _ in range(-(-count // len(images)))]
    drawn = np.empty((count, *sides), np.float32)
    truth = np.empty((count, *sides), np.uint8)
    for number, index in enumerate(np.concatenate(rounds)[:count]):
        place = _place(images[index].shape, sides, random)
        flipped = tuple(axis for axis in mirror if random.random() < 0.5)
        patch = np.flip(_cut(images[index], place), flipped)
        power = np.exp(contrast * random.normal())
        drawn[number] = 255 * (patch / 255) ** power if contrast else patch
        truth[number] = np.flip(_cut(masks[index], place), flipped)
    return drawn, truth


def _check_pairs(images, masks) -> None:
    shapes = [(np.shape(image), np.shape(mask)) for image, mask in zip(images, masks)]
    if not shapes or len(images) != len(masks):
        raise ValueError(
            f"{len(images)} images and {len(masks)} masks: one mask per image, please."
        )
    for number, (image, mask) in enumerate(shapes):
        if image != mask or len(image) != 3:
            raise ValueError(
                f"Volume {number} has the shape {image} and its mask {mask}: both are (Z, Y, X)."
            )


def _place(shape, sides, random: np.random.Generator) -> tuple[slice, ...]:
    """Where a patch is cut from a volume, which may be smaller."""
    starts = [random.integers(max(length - side, 0) + 1) for length, side in zip(shape, sides)]
    return tuple(slice(start, start + side) for start, side in zip(starts, sides))


def _cut(volume: np.ndarray, place: tuple[slice, ...]) -> np.ndarray:
    """A part of a volume, mirrored where the volume ends before the patch."""
    part = volume[place]
    missing = [(0, part_of.stop - part_of.start - side) for part_of, side in zip(place, part.shape)]
    return np.pad(part, missing, mode="symmetric") if any(map(any, missing)) else part
