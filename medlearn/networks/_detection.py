"""An image in, boxes out: a one-stage detector without anchors on a borrowed encoder, and its losses.

    model = networks.detector(encoder, classes=3)
    model.compile("adam", loss={"centres": networks.centre_loss, "sides": networks.sides_loss})
    model.fit(images, networks.targets(boxes, images.shape[1:3], classes=3))
    found = networks.detect(model, images)          # per image (k, 6): y0, x0, y1, x1, class, score

Each cell of a grid, `STRIDE` pixels wide, says whether the centre of an object lies there, and how far it is from the
cell's middle to the four sides. Sources: Zhou et al. 2019, Objects as points (arXiv:1904.07850), for the centres; Tian et al.
2019, FCOS (arXiv:1904.01355), for the sides; Liu et al. 2019, TTFNet (arXiv:1909.00700), for one weight per object.
"""

import numpy as np

from medlearn._keras import keras, tf
from medlearn.networks._grid import STRIDE, decode
from medlearn.networks._inputs import checked_images

_RARE = 0.01  # how likely an object is in a cell before anything was learned (Lin et al. 2017, arXiv:1708.02002)


def detector(
    encoder: keras.Model,
    classes: int,
    *,
    layers: tuple[str, str] | None = None,
    channels: int = 96,
    seed: int = 0,
) -> keras.Model:
    """Centres and sides of objects, on the maps of an encoder at 1/16 and 1/8 of the image's side.

    Images 0 to 255 (N, H, W, 3) go in, H and W multiples of 16. Out comes a dict: `centres`, logits (N, H/8, W/8, classes),
    and `sides`, distances in pixels from the middle of each cell to the top, left, bottom and right of its object, (N, H/8,
    W/8, 4). The encoder is a layer of the model, under its own name, and shares its weights with the one given. `layers`:
    names of the fine and the coarse map, None for the last ones of their size. `channels`: width of the decoder. `seed`
    draws its weights. Raises ValueError for an encoder without such maps, fewer than one class or channel.
    """
    if not isinstance(classes, int | np.integer) or classes < 1 or channels < 1:
        raise ValueError(
            f"classes={classes!r} and channels={channels!r} are numbers of at least 1; len(data.classes) counts the classes."
        )
    part = _two_maps(encoder, layers)
    draw = iter(range(100 * seed, 100 * seed + 100))
    image = keras.Input(encoder.input_shape[1:], name="image")
    fine, coarse = part(image)
    x = keras.layers.UpSampling2D(2, interpolation="bilinear", name="up")(
        _convolve(coarse, channels, 1, "coarse", next(draw))
    )
    x = keras.layers.Concatenate(name="both")([x, _convolve(fine, channels, 1, "fine", next(draw))])
    x = _convolve(x, channels, 3, "mixed", next(draw))
    centres = _head(
        _convolve(x, channels, 3, "where", next(draw)),
        int(classes),
        -np.log(1 / _RARE - 1),
        "centres",
        next(draw),
    )
    sides = _head(_convolve(x, channels, 3, "size", next(draw)), 4, 1.0, "raw_sides", next(draw))
    sides = keras.layers.Activation("softplus", dtype="float32", name="above_zero")(sides)
    sides = keras.layers.Rescaling(2.0 * STRIDE, dtype="float32", name="sides")(sides)
    return keras.Model(image, {"centres": centres, "sides": sides}, name=f"{encoder.name}_detector")


def centre_loss(wanted, logits):
    """Focal loss of the centres, (N,): near misses of a centre cost less, easy background next to nothing.

    wanted: (N, h, w, classes), 1 at a centre and falling around it, as `targets` makes it. logits: the same shape. The
    mean over the batch is the sum over all cells for each object. Source: Law & Deng 2018 (arXiv:1808.01244), eq. 1.
    """
    wanted, logits = tf.cast(wanted, tf.float32), tf.cast(logits, tf.float32)
    centre, p = tf.cast(wanted > 1 - 1e-4, tf.float32), tf.sigmoid(logits)
    hit = centre * (1 - p) ** 2 * tf.math.log_sigmoid(logits)
    rest = (1 - centre) * (1 - wanted) ** 4 * p**2 * tf.math.log_sigmoid(-logits)
    return -_per_object(tf.reduce_sum(hit + rest, (1, 2, 3)), tf.reduce_sum(centre))


def sides_loss(wanted, sides):
    """1 - GIoU of the box that each cell draws with the box it belongs to, (N,), weighted to one vote per object.

    wanted: (N, h, w, 5), the four distances in pixels and the weight, 0 where the cell belongs to no object. sides: (N, h,
    w, 4). Source: Rezatofighi et al. 2019 (arXiv:1902.09630).
    """
    wanted, sides = tf.cast(wanted, tf.float32), tf.cast(sides, tf.float32)
    true, weight = wanted[..., :4], wanted[..., 4]
    inner, outer = tf.minimum(true, sides), tf.maximum(true, sides)
    shared, around = _product(inner), _product(outer)
    union = _product(true) + _product(sides) - shared
    giou = shared / tf.maximum(union, 1e-6) - (around - union) / tf.maximum(around, 1e-6)
    return _per_object(tf.reduce_sum(weight * (1 - giou), (1, 2)), tf.reduce_sum(weight))


def detect(
    model: keras.Model,
    images: np.ndarray,
    *,
    least: float = 0.05,
    overlap: float = 0.5,
    most: int = 100,
    flips: bool = False,
    batch: int = 16,
) -> list[np.ndarray]:
    """What the model finds in each image: N arrays (k, 6) of [y0, x0, y1, x1, class, score], best first, in pixels.

    images: 0 to 255, (N, H, W, 3), H and W multiples of 16. `least`: the lowest score to report; `overlap`: the IoU above
    which the weaker of two boxes of a class goes; `most`: boxes per image. `flips` averages the image, its mirror image
    and its upside-down image: thrice the time. Raises ValueError for images of several sizes, or of another shape or
    range, such as already divided by 255, and for a model that is no detector.
    """
    images = checked_images(images, model)
    if images.shape[1] % 16 or images.shape[2] % 16:
        raise ValueError(
            f"Images are (N, height, width, 3) with sides that are multiples of 16, not {images.shape}; "
            "boxes.resize_with_padding resizes them."
        )
    views = [(), (2,), (1,)] if flips else [()]
    told = [
        _unflipped(model.predict(np.flip(images, axes), batch_size=batch, verbose=0), axes)
        for axes in views
    ]
    heat, sides = (np.mean([each[key] for each in told], axis=0) for key in ("centres", "sides"))
    return [
        decode(*each, images.shape[1:3], least=least, overlap=overlap, most=most)
        for each in zip(heat, sides)
    ]


def _unflipped(told: dict[str, np.ndarray], axes: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Probabilities and sides of a flipped image, laid back over the image; raises ValueError for another model's answer."""
    if not isinstance(told, dict) or not {"centres", "sides"} <= set(told):
        raise ValueError(
            "This model does not answer with centres and sides; networks.detector makes one that does."
        )
    order = [2, 1, 0, 3] if axes == (1,) else [0, 3, 2, 1] if axes == (2,) else [0, 1, 2, 3]
    heat = 1 / (1 + np.exp(-told["centres"]))
    return {"centres": np.flip(heat, axes), "sides": np.flip(told["sides"], axes)[..., order]}


def _per_object(sums, objects):
    """Sums (N,) of the images of a batch, such that their mean is the sum of all for each object in it."""
    return sums * tf.cast(tf.shape(sums)[0], tf.float32) / tf.maximum(objects, 1.0)


def _product(sides):
    return (sides[..., 0] + sides[..., 2]) * (sides[..., 1] + sides[..., 3])


def _convolve(x, channels: int, kernel: int, name: str, seed: int):
    start = keras.initializers.HeNormal(seed)
    x = keras.layers.Conv2D(
        channels,
        kernel,
        padding="same",
        use_bias=False,
        kernel_initializer=start,
        name=f"{name}_conv",
    )(x)
    return keras.layers.ReLU(name=name)(
        keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    )


def _head(x, channels: int, bias: float, name: str, seed: int):
    start = keras.initializers.RandomNormal(stddev=0.01, seed=seed)
    return keras.layers.Conv2D(
        channels,
        1,
        kernel_initializer=start,
        bias_initializer=keras.initializers.Constant(bias),
        dtype="float32",
        name=name,
    )(x)


def _two_maps(encoder: keras.Model, layers: tuple[str, str] | None) -> keras.Model:
    """The encoder up to its maps at an eighth and a sixteenth of the image's side."""
    if not isinstance(encoder, keras.Model) or len(encoder.input_shape or ()) != 4:
        raise ValueError(
            f"The encoder is {type(encoder).__name__}, but a model of images is needed: backbones.load gives one."
        )
    sides = _sides(encoder)
    if layers is None:
        layers = [_last(encoder, sides, side) for side in (8, 16)]
    for name, side in zip(layers, (8, 16), strict=True):
        if sides.get(name) != side:
            held = f"is at 1/{sides[name]}" if name in sides else "is not a layer with a map"
            raise ValueError(
                f"{name!r} {held} of {encoder.name}, but the detector needs a map at 1/{side}; layers=None finds one."
            )
    return keras.Model(
        encoder.input, [encoder.get_layer(name).output for name in layers], name=encoder.name
    )


def _sides(encoder: keras.Model) -> dict[str, int]:
    """Layer -> how many pixels of the image one place of its map is wide."""
    layers = [layer for layer in encoder.layers[1:] if len(getattr(layer.output, "shape", ())) == 4]
    size = encoder.input_shape[1] or 256
    shapes = keras.Model(encoder.input, [layer.output for layer in layers]).compute_output_shape(
        (1, size, size, 3)
    )
    return {layer.name: size // shape[1] for layer, shape in zip(layers, shapes) if shape[1]}


def _last(encoder: keras.Model, sides: dict[str, int], side: int) -> str:
    names = [name for name, found in sides.items() if found == side]
    if not names:
        raise ValueError(
            f"{encoder.name} has no map at 1/{side} of the image's side, which the detector needs; choose another backbone."
        )
    return names[-1]
