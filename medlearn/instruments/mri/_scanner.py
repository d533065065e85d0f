"""The scanner: a slice is prepared once, then scanned at any site.

Signal equations per tissue, partial volume as the weighted sum of signals, a smooth receive field, acquisition of a
limited k-space, complex Gaussian noise there, magnitude (hence Rician: Gudbjartsson & Patz 1995, MRM 34:910), and the
grey window that a console would set.
"""

import zlib
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from scipy import fft, ndimage

from medlearn.instruments.mri import _anatomy, _atlas, _lesions, _painting, _subjects
from medlearn.instruments.mri._anatomy import FIELD_OF_VIEW, Plane
from medlearn.instruments.mri._site import SITES, Site, whole
from medlearn.instruments.mri._subjects import CLASSES, TRUTH_THICKNESS, Subject
from medlearn.instruments.mri.physics import INDEX, signals

MASK_CLASSES = ("background", "cerebrospinal fluid", "grey matter", "white matter", "lesion")
HEIGHTS = (-30.0, 30.0)  # mm around a subject's central slice
SIZES = (32, 512)  # pixels
_SPECK = 10.0  # mm2: smaller islands of lesion are left to the tissue around them
_BIAS_CELLS = 2  # B-spline cells of the receive field: as smooth as a head coil's


@dataclass(frozen=True, eq=False)
class Prepared:
    """One slice of one subject, ready to be scanned: all that does not depend on the site.

    `mask` uint8 (H, W) of `MASK_CLASSES` and `boxes` float64 (k, 5) [y0, x0, y1, x1, class] hold at every site.
    `brain` (3, N) and `own` (lesion tissues, N) are the healthy brain and the lesion's share in the slab of the mask;
    `grain` (N,) is the faint unevenness of living tissue (assumption).
    """

    subject: Subject
    level: float
    plane: Plane
    mask: np.ndarray
    boxes: np.ndarray
    brain: np.ndarray
    own: np.ndarray
    grain: np.ndarray
    _maps: dict[float, np.ndarray] = field(default_factory=dict, repr=False)  # by slice thickness

    def maps(self, thickness: float) -> np.ndarray:
        """Fractions of all tissues (tissues, N) in a slab; each thickness is computed once."""
        if thickness not in self._maps:
            who, plane = self.subject, self.plane
            brain, own = (
                (self.brain, self.own)
                if thickness == TRUTH_THICKNESS
                else _slab(who, plane, thickness)
            )
            self._maps[thickness] = _painting.add(
                _anatomy.wrap(brain, plane), own, who.lesion, who.head, plane, thickness
            )
        return self._maps[thickness]


def prepare(
    label, seed: int = 0, subject: int = 0, height: float = 0.0, size: int = 128
) -> Prepared:
    """One slice of one subject, to be scanned at any site with `scan`.

    `label` is a class name or its index, `subject` the number of a subject of this seed (0 to 9999), `height` the
    millimetres above its central slice (-30 to 30; away from 0 a lesion may be out of sight), `size` the image's side
    in pixels (32 to 512, over 220 mm). Raises ValueError for anything outside these ranges.
    """
    who = _subjects.draw(
        whole("seed", seed, 0, 2**31 - 1),
        whole("subject", subject, 0, _subjects.SUBJECTS - 1),
        class_index(label),
    )
    if not HEIGHTS[0] <= height <= HEIGHTS[1]:
        raise ValueError(
            f"height must be from {HEIGHTS[0]:g} to {HEIGHTS[1]:g} mm around the central slice, "
            f"not {height}."
        )
    return prepare_level(who, float(who.levels[0] + height), whole("size", size, *SIZES))


def prepare_level(who: Subject, level: float, size: int) -> Prepared:
    """The slice of a subject at an MNI height in mm."""
    plane = _anatomy.plane(who.head, level, size, _lesions.push(who.lesion))
    brain, own = _slab(who, plane, TRUTH_THICKNESS)
    mask, boxes = _truth(plane, brain, own, who.label)
    grain = (
        1
        + np.float32(0.015) * _atlas.textures(plane.anatomy, np.array([13, 29, 7]) * who.number)[1]
    )
    return Prepared(who, level, plane, mask, boxes, brain, own, grain)


def scan(prepared: Prepared, site: Site | str) -> np.ndarray:
    """The image of a prepared slice at a `Site`, or the name of one of `SITES`: uint8 (H, W, 3), grey repeated.

    Noise and receive field depend on the subject, the level and the site's name only: turning one dial of a site and
    keeping its name changes nothing but what that dial does.
    """
    site = find_site(site)
    who, plane, size = prepared.subject, prepared.plane, prepared.plane.size
    stream = [
        who.seed,
        who.number,
        int(prepared.level * 1000) % 2**31,
        zlib.crc32(site.name.encode()),
    ]
    rng = np.random.default_rng(stream)
    tissue = signals(site, who.head.biology)
    maps = prepared.maps(float(site.thickness_mm))
    image = np.zeros(size * size, np.float32)
    image[plane.pixels] = (tissue @ maps) * prepared.grain * _receive_field(rng, plane, site.bias)
    noise = site.noise * abs(tissue[INDEX["white matter"]])
    image = np.abs(_acquire(image.reshape(size, size), int(site.matrix), noise, rng))
    grey = _window(image, plane.pixels[maps[:3].sum(axis=0) > 0.7], rng.uniform(1.0, 1.2))
    return np.repeat(grey[..., None], 3, axis=2)


def find_site(site) -> Site:
    """The `Site` itself, or the named one; ValueError with the names if there is none of that name."""
    if isinstance(site, Site):
        return site
    if isinstance(site, str) and site in SITES:
        return SITES[site]
    raise ValueError(
        f'Unknown site {site!r}; choose one of {tuple(SITES)}, "random", or make a Site of your own.'
    )


def class_index(label) -> int:
    """The index in `CLASSES` of a class name or index; ValueError with the names otherwise."""
    if isinstance(label, str) and label in CLASSES:
        return CLASSES.index(label)
    if (
        isinstance(label, (int, np.integer))
        and not isinstance(label, bool)
        and 0 <= label < len(CLASSES)
    ):
        return int(label)
    raise ValueError(
        f"Unknown class {label!r}; choose one of {CLASSES} or its index, 0 to {len(CLASSES) - 1}."
    )


def _slab(who, plane, thickness) -> tuple[np.ndarray, np.ndarray]:
    """The healthy brain (3, N) and the lesion's own share (lesion tissues, N) in a slab."""
    brain = _anatomy.brain(who.head, plane, thickness)
    return brain, _painting.share(brain, who.lesion, plane, thickness)


def _truth(plane, brain, own, label) -> tuple[np.ndarray, np.ndarray]:
    """The majority class of each pixel, uint8 (H, W), and half-open boxes around the islands of lesion, (k, 5)."""
    mask = np.zeros(plane.size**2, np.uint8)
    mask[plane.pixels] = np.argmax(
        np.concatenate([1 - brain.sum(axis=0, keepdims=True), brain]), axis=0
    )
    if label == 0:
        return mask.reshape(plane.size, plane.size), np.zeros((0, 5))
    lesion = np.zeros(mask.shape, bool)
    lesion[plane.pixels] = own.sum(axis=0) > 0.5
    islands, _ = ndimage.label(lesion.reshape(plane.size, plane.size), structure=np.ones((3, 3)))
    large = np.bincount(islands.ravel()) * (FIELD_OF_VIEW / plane.size) ** 2 >= _SPECK
    large[0] = False
    mask = mask.reshape(islands.shape)
    mask[large[islands]] = MASK_CLASSES.index("lesion")
    boxes = [
        [y.start, x.start, y.stop, x.stop, label]
        for (y, x), keep in zip(ndimage.find_objects(islands), large[1:])
        if keep
    ]
    return mask, np.array(boxes, float).reshape(-1, 5)


def _receive_field(rng, plane, spread) -> np.ndarray:
    """The coil's sensitivity at the head's pixels, from 1 - spread / 2 to 1 + spread / 2: float32 (N,)."""
    coefficients = rng.standard_normal((1, _BIAS_CELLS + 3, _BIAS_CELLS + 3)).astype(np.float32)
    smooth = _anatomy.smooth_fields(coefficients, plane.size).reshape(-1)[plane.pixels]
    low, high = smooth.min(), smooth.max()
    return 1 + np.float32(spread) * ((smooth - low) / (high - low) - np.float32(0.5))


@lru_cache(maxsize=32)
def _filter(lines: int) -> np.ndarray:
    """A mild low-pass (Hann to the power 0.35) over the acquired k-space, against ringing: float32 (lines, lines)."""
    edge = np.hanning(lines + 2)[1:-1] ** 0.35
    return np.outer(edge, edge).astype(np.float32)


def _acquire(image, matrix, noise, rng) -> np.ndarray:
    """Sample the middle `matrix` x `matrix` of k-space, with noise of deviation `noise` in the image: complex64."""
    size = len(image)
    lines = min(matrix, size)
    kept = np.arange(
        -(lines // 2), lines - lines // 2
    )  # frequencies, where the FFT keeps them: negative ones last
    weights = _filter(lines)
    deviation = noise * size**2 / np.sqrt((weights**2).sum())
    random = rng.standard_normal((2, lines, lines), np.float32) * np.float32(deviation)
    sampled = np.zeros((size, size), np.complex64)
    window = np.ix_(kept, kept)
    sampled[window] = (fft.fft2(image)[window] + (random[0] + 1j * random[1])) * weights
    return fft.ifft2(sampled)


def _window(image, brain, gain) -> np.ndarray:
    """Eight bits, white a little above the brain's 98th percentile: uint8 (H, W)."""
    values = image.reshape(-1)[brain]
    white = (
        np.partition(values, int(0.98 * len(values)))[int(0.98 * len(values))]
        if len(values)
        else image.max()
    )
    return (np.clip(image / (white * np.float32(gain) + 1e-12), 0, 1) * 255 + 0.5).astype(np.uint8)
