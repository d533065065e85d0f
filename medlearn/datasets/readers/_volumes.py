"""Your own volumes: NIfTI files, with or without masks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from medlearn import _checks
from medlearn._volumes import Volumes
from medlearn.datasets._arrays import LICENCE, ONE_DOMAIN
from medlearn.datasets.readers import _nifti_volumes, _paths
from medlearn.datasets.readers._nifti_volumes import Turned
from medlearn.datasets.readers._problems import Unreadable


def from_niftis(
    images: Sequence[str | Path],
    masks: Sequence[str | Path] | None = None,
    *,
    mask_classes: Sequence[str] | None = None,
    patients: ArrayLike | None = None,
    domains: ArrayLike | str = ONE_DOMAIN,
    name: str = "own volumes",
) -> Volumes:
    """Read volumes from NIfTI files, each turned to the same axes and windowed to 0 to 255.

    The window runs from the 1st to the 99th percentile of each volume.

    Parameters
    ----------
    images : sequence of str or Path
        The files, ``.nii`` or ``.nii.gz``.
    masks : sequence of str or Path, optional
        For each image the file of its mask, on the same grid: whole numbers, the class index of
        each voxel.
    mask_classes : sequence of str, optional
        Default: "background", then "1", "2", ... up to the highest value.
    patients : array_like, shape (N,), optional
        Patient id of each volume. Default: each volume is a patient of its own, and
        ``patients_known`` is False.
    domains : array_like, shape (N,), or str
        Site or scanner of each volume, or of all.
    name : str
        What the data set is called in messages.

    Returns
    -------
    Volumes
        ``facts["axes"]`` says where the axes of each file run, for `inference.write_nifti`.

    Raises
    ------
    ValueError
        For a file that cannot be read or whose mask does not fit, with the name of the file.
    """
    if not len(images):
        raise ValueError("There is no file: images is empty.")
    if masks is not None and len(masks) != len(images):
        raise ValueError(f"There are {len(images)} images but {len(masks)} masks: give one each.")
    count = len(images)
    if patients is not None:
        _checks.same_length(images=np.arange(count), patients=_checks.column("patients", patients))
    volumes = [_read(path) for path in images]
    labels = None if masks is None else tuple(map(_mask, masks, images, volumes))
    highest = 0 if labels is None else max(int(label.max()) for label in labels)
    numbered = ("background", *(str(index) for index in range(1, highest + 1)))
    if mask_classes is not None and highest >= len(mask_classes):
        raise ValueError(
            f"The masks hold values up to {highest}, but mask_classes names {len(mask_classes)}: "
            "name all classes, the background first."
        )
    ids = [f"volume-{number:04d}" for number in range(count)] if patients is None else patients
    affines = np.array([volume.affine for volume in volumes])
    return Volumes(
        name=name,
        images=tuple(_nifti_volumes.windowed(volume.voxels) for volume in volumes),
        masks=labels,
        mask_classes=() if labels is None else tuple(mask_classes or numbered),
        patients=np.asarray(ids).astype(str),
        patients_known=patients is not None,
        domains=np.broadcast_to(np.asarray(domains, str), count).copy(),
        spacing=np.linalg.norm(affines[:, :3, :3], axis=1)[:, ::-1],
        affines=affines,
        licence=LICENCE,
        facts={"axes": np.array([volume.axes for volume in volumes])},
    )


def _read(path: str | Path) -> Turned:
    try:
        volume = _nifti_volumes.read(_paths.contents(Path(path).expanduser()))
    except Unreadable as error:
        raise ValueError(f"{Path(path).name}: {error.problem}: {error.fix}.") from error
    if not np.isfinite(volume.voxels).all():
        raise ValueError(f"{Path(path).name} holds values that are not finite: replace them.")
    return volume


def _mask(path: str | Path, image_path: str | Path, image: Turned) -> np.ndarray:
    """The mask of an image, uint8 (Z, Y, X)."""
    volume = _read(path)
    if volume.voxels.shape != image.voxels.shape:
        raise ValueError(
            f"{Path(path).name} has {volume.voxels.shape} voxels (z, y, x), its image "
            f"{Path(image_path).name} {image.voxels.shape}: bring the mask to the image's grid."
        )
    if not np.allclose(volume.affine, image.affine, atol=1e-2):
        raise ValueError(
            f"{Path(path).name} lies elsewhere than its image {Path(image_path).name}: their "
            "affines differ. Bring the mask to the image's grid, or correct its header."
        )
    classes = np.rint(volume.voxels)
    if np.abs(classes - volume.voxels).max() > 1e-3 or classes.min() < 0 or classes.max() > 255:
        raise ValueError(
            f"{Path(path).name} runs from {volume.voxels.min():g} to {volume.voxels.max():g}: a "
            "mask holds whole numbers from 0 to 255, the class index of each voxel."
        )
    return classes.astype(np.uint8)
