"""What sim_to_real_cells.py shows of cells, and the vectors of these pictures.

Cells are found by the segmenter of sim_to_real.py that saw only simulated images, in all
laboratories alike.
"""

from functools import lru_cache

import numpy as np
from scipy import ndimage
from skimage import transform

from common import segmentation_pairs, segmenters, vectors
from common.classification_pairs import CLASSES, SIDE, load
from medlearn._keras import keras
from medlearn.adaptation import randomisation
from medlearn.networks import views

TUNING, BATCH = 200, 32  # steps, and images of each


@lru_cache
def cell_masks(name: str, seed: int) -> np.ndarray:
    """Return whether a pixel belongs to the cell in the middle, bool (N, 128, 128).

    Parameters
    ----------
    name : str
        Name of a laboratory in `classification_pairs`.
    seed : int
        Seed of a row.
    """
    source, _ = segmentation_pairs.source_model(segmentation_pairs.SIMULATED_ONLY, seed)
    small = np.stack([_shrunk(image) for image in load(name, seed).images])
    background = segmenters.segment(source.weights, np.round(small).astype(np.uint8))[..., 0]
    large = [transform.resize(inside, (SIDE, SIDE), order=1) for inside in 1 - background]
    return np.stack([_middle_part(mask) for mask in np.stack(large) > 0.5])


def _shrunk(image: np.ndarray) -> np.ndarray:
    size = (segmenters.SIDE, segmenters.SIDE)
    return transform.resize(image, size, order=1, preserve_range=True, anti_aliasing=True)


def _middle_part(mask: np.ndarray) -> np.ndarray:
    """The part nearest to the middle among those of some size; everything if there is none."""
    parts, count = ndimage.label(mask)
    sizes = ndimage.sum_labels(mask, parts, range(1, count + 1))
    large = [number + 1 for number in range(count) if sizes[number] > 0.01 * mask.size]
    if not large:
        return np.ones_like(mask)
    centres = [ndimage.center_of_mass(parts == number) for number in large]
    distances = [np.hypot(*(np.array(centre) - SIDE / 2)) for centre in centres]
    return ndimage.binary_fill_holes(parts == large[int(np.argmin(distances))])


@lru_cache
def pictures(name: str, shown_as: str, source: str, seed: int) -> np.ndarray:
    """Return what is shown of a laboratory's images, uint8 (N, 128, 128, 3).

    Parameters
    ----------
    name : str
        Name of the laboratory.
    shown_as : {"frame", "crop", "cut out"} or a name in `vectors.IMAGES`
        "crop" has the cell in the middle, at the scale at which the median cell of its laboratory
        fills half the frame; "cut out" has white around it as well.
    source : str
        The laboratory whose colours and scale count, if they do.
    seed : int
        Seed of a row.
    """
    images = load(name, seed).images
    if shown_as in vectors.IMAGES:
        reference = load(source, seed).images[::6]
        return images if name == source else vectors.IMAGES[shown_as](images, reference)
    if shown_as == "frame":
        return images
    masks = cell_masks(name, seed)
    diameters = 2 * np.sqrt(masks.sum((1, 2)) / np.pi)
    factor = SIDE / 2 / np.median(diameters)
    if shown_as == "cut out":
        images = [_on_white(image, mask) for image, mask in zip(images, masks)]
    return np.stack([_centred(image, mask, factor) for image, mask in zip(images, masks)])


def _on_white(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.where(ndimage.binary_dilation(mask, iterations=2)[..., None], image, 255)


def _centred(image: np.ndarray, mask: np.ndarray, factor: float) -> np.ndarray:
    centre = np.array(ndimage.center_of_mass(mask))[::-1]
    back = transform.AffineTransform(scale=1 / factor, translation=centre - SIDE / 2 / factor)
    warped = transform.warp(image, back, order=1, mode="reflect", preserve_range=True)
    return np.round(warped).astype(np.uint8)


# ---- vectors -------------------------------------------------------------------------------------


@lru_cache
def picture_vectors(name: str, method: str, source: str, seed: int) -> np.ndarray:
    """Return pooled vectors of a laboratory's pictures, (N, D).

    Parameters
    ----------
    name : str
        Name of the laboratory.
    method : str
        What is shown, and whose vectors: one of `classification_pairs.PICTURES`.
    source : str
        The laboratory that teaches.
    seed : int
        Seed of a row.
    """
    shown_as, encoder_name = method.split(", ")
    if encoder_name == "lite0":
        encoder = vectors.lite0()
    elif encoder_name == "looks":
        encoder = _tuned(source, shown_as, True, seed)
    else:
        encoder = _tuned("virtual", shown_as, False, seed)
    colours_of = source if shown_as == "scale+reinhard" else name
    return vectors.averaged(encoder, pictures(name, shown_as, colours_of, seed))


@lru_cache
def _tuned(name: str, shown_as: str, random_looks: bool, seed: int) -> keras.Model:
    """Lite0 up to block 14 after it learned the four classes from a laboratory's cells."""
    keras.utils.set_random_seed(seed)
    encoder = keras.models.clone_model(vectors.lite0())
    encoder.set_weights(vectors.lite0().get_weights())
    for layer in encoder.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    pooled = keras.layers.GlobalAveragePooling2D()(encoder.output)
    pooled = keras.layers.Dropout(0.3, seed=seed)(pooled)
    model = keras.Model(encoder.input, keras.layers.Dense(CLASSES, "softmax")(pooled))
    rate = keras.optimizers.schedules.CosineDecay(
        1e-5, TUNING - 30, warmup_target=1e-3, warmup_steps=30
    )
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", jit_compile=False)
    random = np.random.default_rng(seed)
    labels = load(name, seed).labels
    rows = segmenters.permuted_rows(random, len(labels), TUNING * BATCH)
    images = pictures(name, shown_as, name, seed)[rows]
    if random_looks:
        images, _ = randomisation.randomise_appearance(
            images, np.zeros(images.shape[:3], np.uint8), seed=seed
        )
    parts = np.array_split(random.permutation(len(rows)), len(views.DIHEDRAL))
    for part, view in zip(parts, views.DIHEDRAL):
        images[part] = views.apply(images[part], (view,))
    model.fit(images, labels[rows], batch_size=BATCH, shuffle=False, verbose=0)
    return encoder
