"""Networks of volumes: shapes and names, patches, cached maps, tiles that blend, losses by hand."""

import tracemalloc

import numpy as np
import pytest
from scipy import ndimage

from medlearn import networks, transfer
from medlearn._keras import keras
from medlearn.networks import losses, volumes

RANDOM = np.random.default_rng(0)
SIZE = (8, 32, 16)  # slices, rows, columns
PATCHES = RANDOM.uniform(0, 255, (2, *SIZE)).astype("float32")
TRUTH = RANDOM.integers(0, 3, (2, *SIZE)).astype("uint8")


def tiny_encoder():
    image = x = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(x)
    for number, channels in enumerate((4, 6, 8)):
        x = keras.layers.Conv2D(channels, 3, 2, "same", name=f"block_{number}")(x)
    return keras.Model(image, x, name="tiny")


def constant_network(sides, answer=(0.2, 0.5, 0.3)):
    """Gives the same probabilities for every voxel."""
    volume = keras.Input((*sides, 1))
    bias = keras.initializers.Constant(np.log(answer))
    head = keras.layers.Conv3D(
        len(answer), 1, kernel_initializer="zeros", bias_initializer=bias, activation="softmax"
    )
    return keras.Model(volume, head(volume))


def local_network(size=(None, None, None)):
    """Two 3 x 3 x 3 convolutions: each voxel sees two voxels around it."""
    volume = x = keras.Input((*size, 1))
    x = keras.layers.Rescaling(1 / 255)(x)
    for number in range(2):
        start = keras.initializers.GlorotUniform(number)
        x = keras.layers.Conv3D(3, 3, padding="same", kernel_initializer=start)(x)
    return keras.Model(volume, keras.layers.Softmax()(x))


# ---- tiles ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(16, 16, 16), (19, 40, 23), (5, 9, 30)])
def test_a_network_of_one_answer_gives_it_everywhere(shape):
    """Also for volumes smaller than a tile, and without seams at any overlap."""
    network = constant_network((16, 16, 16))
    for overlap in (0.0, 0.3, 0.5, 0.75):
        tiled = networks.predict_tiled(network, np.full(shape, 7.0), overlap=overlap)
        np.testing.assert_allclose(tiled, np.broadcast_to([0.2, 0.5, 0.3], tiled.shape), atol=1e-6)


@pytest.mark.parametrize("shape", [(24, 24, 24), (21, 33, 17), (16, 16, 40)])
def test_with_a_margin_of_the_radius_of_view_tiles_equal_the_whole_volume(shape):
    network = local_network()
    volume = RANDOM.uniform(0, 255, shape).astype("float32")
    whole = network.predict(volume[None, ..., None], verbose=0)[0]
    tiled = networks.predict_tiled(network, volume, tile=16, margin=2)
    np.testing.assert_allclose(tiled, whole, atol=1e-6)


def test_where_tiles_overlap_the_weights_are_gaussian():
    """A network that answers with the voxel's place in its tile, blended by hand along one axis."""
    place = np.linspace(0, 1, 8, dtype="float32").reshape(1, 1, 1, 8, 1)

    class Place(keras.layers.Layer):
        def call(self, volume):
            return 0 * volume + place

    volume = keras.Input((8, 8, 8, 1))
    network = keras.Model(volume, Place()(volume))
    tiled = networks.predict_tiled(network, np.ones((8, 8, 12)), overlap=0.5)[0, 0, :, 0]
    gauss = np.exp(-0.5 * ((np.arange(8) - 3.5) / 2) ** 2)
    first, second = np.r_[gauss, np.zeros(4)], np.r_[np.zeros(4), gauss]
    ramp = place.ravel()
    by_hand = first * np.r_[ramp, np.zeros(4)] + second * np.r_[np.zeros(4), ramp]
    np.testing.assert_allclose(tiled, by_hand / (first + second), atol=1e-5)


def test_flips_are_undone_and_averaged():
    network = local_network((8, 8, 8))
    volume = RANDOM.uniform(0, 255, (8, 8, 8)).astype("float32")
    mirrored = networks.predict_tiled(network, volume[:, :, ::-1])[:, :, ::-1]
    by_hand = (networks.predict_tiled(network, volume) + mirrored) / 2
    both = networks.predict_tiled(network, volume, flips=((), (2,)))
    np.testing.assert_allclose(both, by_hand, atol=1e-6)


def test_images_have_flips_too():
    image = keras.Input((8, 8, 3))
    start = keras.initializers.GlorotUniform(0)
    network = keras.Model(
        image, keras.layers.Conv2D(2, 3, padding="same", kernel_initializer=start)(image)
    )
    picture = RANDOM.uniform(0, 255, (8, 8, 3))
    mirrored = networks.predict_tiled(network, picture[:, ::-1])[:, ::-1]
    by_hand = (networks.predict_tiled(network, picture) + mirrored) / 2
    both = networks.predict_tiled(network, picture, flips=((), (1,)))
    np.testing.assert_allclose(both, by_hand, rtol=1e-4, atol=1e-4)


def test_classes_only_is_the_argmax_in_the_memory_of_a_band():
    network = constant_network((16, 16, 16), answer=(0.1,) * 8 + (0.2,))
    volume = np.ones((320, 48, 48), np.float32)
    peaks = []
    for _ in range(2):  # what another thread of the process takes meanwhile is counted, too
        tracemalloc.start()
        classes = networks.predict_tiled(network, volume, classes_only=True)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert classes.shape == volume.shape and (classes == 8).all()
    all_probabilities = volume.size * 9 * 4
    assert min(peaks) < all_probabilities / 2


@pytest.mark.parametrize(
    "volume, options, sentence",
    [
        (np.ones((8, 8)), {}, "one volume"),
        (np.ones((8, 8, 8, 3)), {}, "one volume"),
        (np.ones((8, 8, 8)), {"flips": ()}, "sequence of tuples"),
        (np.ones((8, 8, 8)), {"flips": ((3,),)}, "axes from 0 to 2"),
        (np.ones((8, 8, 8)), {"tile": (8, 8)}, "depth and a height and a width"),
    ],
)
def test_volumes_and_settings_that_do_not_fit_get_one_sentence(volume, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        networks.predict_tiled(constant_network((8, 8, 8)), volume, **options)


# ---- networks ------------------------------------------------------------------------------------


def test_a_unet_for_a_patch_fits_volumes_of_any_size():
    model = volumes.unet(3, size=SIZE, channels=4, steps=2)
    assert model.output_shape == (None, *SIZE, 3)
    any_size = volumes.unet(3, channels=4, steps=2, seed=5)
    any_size.set_weights(model.get_weights())
    np.testing.assert_allclose(any_size(PATCHES[..., None]), model(PATCHES[..., None]), atol=1e-5)
    assert {"head", "probabilities", "step_1_join", "step_2_decode_conv"} <= {
        layer.name for layer in model.layers
    }


def test_the_unet_learns_where_a_threshold_fails():
    """Bright voxels count only where the slice before is bright, too: a rule over slices."""
    images = ndimage.gaussian_filter(RANDOM.normal(size=(8, 8, 8, 8)), (0, 1, 1, 1))
    bright = images > 0
    masks = (bright & np.roll(bright, 1, axis=1)).astype("uint8")
    model = volumes.unet(2, size=8, channels=8, steps=1)
    model.compile(keras.optimizers.Adam(1e-2), losses.Combined(losses.cross_entropy, losses.dice))
    model.fit(255 * bright, masks, batch_size=4, epochs=25, verbose=0)
    predicted = model.predict(255 * bright, verbose=0).argmax(-1)
    inner = np.s_[:, 1:]
    assert (predicted[inner] == masks[inner]).mean() > 0.97 > (bright[inner] == masks[inner]).mean()


def test_the_decoder_learns_from_cached_maps_and_the_model_has_learned():
    encoder = tiny_encoder()
    model = volumes.segmenter(encoder, 3, size=SIZE, channels=4)
    before = transfer.snapshot(encoder)
    maps = volumes.slice_maps(model, PATCHES, batch_size=1, dtype="float32")
    assert [array.shape for array in maps] == [(2, 8, 32, 16, 4), (2, 8, 16, 8, 6), (2, 8, 8, 4, 8)]
    decoder = model.get_layer("decoder")
    decoder.compile("adam", losses.cross_entropy)
    decoder.fit(maps, TRUTH, verbose=0)
    np.testing.assert_allclose(
        decoder.predict(maps, verbose=0), model.predict(PATCHES, verbose=0), atol=1e-5
    )
    transfer.assert_frozen(encoder, before)
    assert all("tiny" not in weight.path for weight in model.trainable_weights)


def test_maps_of_a_slice_are_those_of_the_encoder():
    size = (4, 32, 32)
    patches = RANDOM.uniform(0, 255, (2, *size)).astype("float32")
    model = volumes.segmenter(tiny_encoder(), 2, size=size, enlarge=1, layers=["block_0"])
    maps = volumes.slice_maps(model, patches, dtype="float32")
    np.testing.assert_array_equal(maps[0][..., 0], patches)  # since the other map has stride 2
    encoder = model.get_layer("tiny")
    image = np.repeat(patches[1, 3, ..., None], 3, axis=-1)
    by_hand = keras.tree.flatten(encoder(image[None]))[0]
    np.testing.assert_allclose(maps[1][1, 3], np.asarray(by_hand)[0], atol=1e-5)


def test_a_decoder_of_depth_one_draws_each_slice_by_itself():
    flat = volumes.segmenter(tiny_encoder(), 3, size=SIZE, channels=4, depth=1)
    deep = volumes.segmenter(tiny_encoder(), 3, size=SIZE, channels=4)
    other = PATCHES.copy()
    other[:, 5] = 255 - other[:, 5]
    changed = {}
    for name, model in {"flat": flat, "deep": deep}.items():
        difference = np.abs(model.predict(other, verbose=0) - model.predict(PATCHES, verbose=0))
        changed[name] = np.flatnonzero(difference.max((0, 2, 3, 4)) > 1e-5).tolist()
    assert changed["flat"] == [5] and {4, 5, 6} <= set(changed["deep"])
    maps = volumes.slice_maps(flat, PATCHES, dtype="float32")
    np.testing.assert_allclose(
        flat.get_layer("decoder").predict(maps, verbose=0),
        flat.predict(PATCHES, verbose=0),
        atol=1e-5,
    )


@pytest.mark.parametrize("neighbours", [False, True])
def test_slice_by_slice_asks_the_segmenter_of_images(neighbours):
    images = networks.segmenter(tiny_encoder(), 3, size=(32, 32))
    model = volumes.slice_by_slice(images, 4, neighbours=neighbours)
    patch = RANDOM.uniform(0, 255, (1, 4, 32, 32)).astype("float32")
    before, after = patch[0, [0, 0, 1, 2]], patch[0, [1, 2, 3, 3]]
    channels = (before, patch[0], after) if neighbours else (patch[0],) * 3
    by_hand = networks.segment(images, np.stack(channels, axis=-1))
    np.testing.assert_allclose(model.predict(patch, verbose=0)[0], by_hand, atol=1e-5)


def test_enlarged_slices_give_probabilities_of_voxels():
    images = networks.segmenter(tiny_encoder(), 3, size=(64, 32))
    model = volumes.slice_by_slice(images, 8, enlarge=2)
    answer = model.predict(PATCHES, verbose=0)
    assert answer.shape == (2, *SIZE, 3)
    np.testing.assert_allclose(answer.sum(-1), 1, atol=1e-5)


@pytest.mark.slow
def test_saved_networks_open_and_predict_the_same(tmp_path):
    images = networks.segmenter(tiny_encoder(), 3, size=(32, 32))
    models = {
        "unet": volumes.unet(2, size=SIZE, channels=4, steps=2),
        "frozen": volumes.segmenter(tiny_encoder(), 3, size=SIZE, channels=4, neighbours=True),
        "flat": volumes.segmenter(tiny_encoder(), 3, size=SIZE, channels=4, depth=1),
        "slices": volumes.slice_by_slice(images, 4),
    }
    for name, model in models.items():
        model.save(tmp_path / f"{name}.keras")
        opened = keras.models.load_model(tmp_path / f"{name}.keras")
        volume = RANDOM.uniform(0, 255, (1, *model.input_shape[1:]))
        np.testing.assert_array_equal(
            opened.predict(volume, verbose=0), model.predict(volume, verbose=0)
        )


@pytest.mark.parametrize(
    "build, sentence",
    [
        (lambda: volumes.unet(3, size=(30, 32, 32)), r"try \(32, 32, 32\)"),
        (lambda: volumes.unet(3, channels=6), "multiple of 4"),
        (lambda: volumes.unet(1), "classes"),
        (lambda: volumes.segmenter(tiny_encoder(), 2, size=(8, 8, 8)), "less than 32 pixels"),
        (lambda: volumes.segmenter(tiny_encoder(), 2, size=(8, 34, 32)), "multiples of 16"),
        (lambda: volumes.segmenter(tiny_encoder(), 2, size=SIZE, layers=["x"]), "map"),
        (lambda: volumes.segmenter(tiny_encoder(), 2, size=SIZE, depth=2), "2-D decoder"),
        (
            lambda: volumes.slice_by_slice(networks.segmenter(tiny_encoder(), 2), 4),
            "size is needed",
        ),
    ],
)
def test_what_does_not_fit_is_refused(build, sentence):
    with pytest.raises(ValueError, match=sentence):
        build()


# ---- patches -------------------------------------------------------------------------------------


def test_patches_are_parts_of_their_volumes_with_their_masks():
    masks = [RANDOM.integers(0, 200, shape).astype("uint8") for shape in [(9, 12, 7), (6, 6, 6)]]
    images = [mask.astype("float32") for mask in masks]
    drawn, truth = volumes.patches(images, masks, (4, 5, 6), 30, mirror=(0, 2), seed=3)
    np.testing.assert_array_equal(drawn, truth)  # so each voxel kept its class
    windows = [np.lib.stride_tricks.sliding_window_view(mask, (4, 5, 6)) for mask in masks]
    for patch in truth:
        mirrored = [np.flip(patch, axes) for axes in [(), (0,), (2,), (0, 2)]]
        found = [(window == view).all((3, 4, 5)).any() for window in windows for view in mirrored]
        assert any(found)


def test_patches_cost_their_own_memory_however_large_the_volumes_are():
    volume = np.zeros((300, 300, 300), np.uint8)
    tracemalloc.start()
    drawn, truth = volumes.patches([volume], [volume], (16, 32, 32), 8, contrast=0.2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * (drawn.nbytes + truth.nbytes) < volume.nbytes / 10


def test_volumes_smaller_than_a_patch_are_mirrored_and_all_give_equally_many():
    images = [np.full((3, 4, 5), value, np.float32) for value in (10, 20, 30)]
    drawn, _ = volumes.patches(images, images, (4, 6, 5), 6)
    assert sorted(drawn.mean((1, 2, 3))) == [10, 10, 20, 20, 30, 30]
    ramp = np.arange(3, dtype="float32").reshape(3, 1, 1)
    drawn, _ = volumes.patches([ramp], [ramp], (5, 1, 1), 1)
    assert drawn.ravel().tolist() == [0, 1, 2, 2, 1]


def test_contrast_changes_greys_but_not_masks():
    ramp = np.linspace(0, 255, 64, dtype="float32").reshape(4, 4, 4)
    mask = (ramp > 99).astype("uint8")
    drawn, truth = volumes.patches([ramp], [mask], 4, 20, contrast=0.3)
    assert (truth == mask).all() and drawn.min() == 0 and drawn.max() == pytest.approx(255)
    powers = np.log(drawn[:, 1, 1, 1] / 255) / np.log(ramp[1, 1, 1] / 255)
    assert 0.15 < np.log(powers).std() < 0.5


@pytest.mark.parametrize(
    "images, masks, options, sentence",
    [
        ([np.ones((4, 4, 4))], [], {}, "one mask per image"),
        ([np.ones((4, 4, 4))], [np.ones((4, 4, 5))], {}, "Volume 0"),
        ([np.ones((4, 4, 4))], [np.ones((4, 4, 4))], {"mirror": (3,)}, "axes from 0 to 2"),
    ],
)
def test_volumes_that_do_not_belong_together_are_refused(images, masks, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        volumes.patches(images, masks, 4, 2, **options)


# ---- losses --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "loss", [losses.cross_entropy, losses.dice, losses.Focal(), losses.Tversky()]
)
def test_losses_of_volumes_are_those_of_their_slices_in_one_image(loss):
    """Every loss sums over voxels, so a volume is as good as an image with all its slices."""
    scores = RANDOM.normal(size=(2, 3, 4, 5, 3))
    answers = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    truth = RANDOM.integers(0, 3, (2, 3, 4, 5))
    weights = RANDOM.uniform(0, 2, (2, 3, 4, 5)).astype("float32")
    flat = answers.reshape(2, 12, 5, 3), truth.reshape(2, 12, 5), weights.reshape(2, 12, 5)
    assert float(loss(truth, answers)) == pytest.approx(float(loss(flat[1], flat[0])), rel=1e-5)
    with_axis = float(loss(truth[..., None], answers, weights[..., None]))
    assert with_axis == pytest.approx(float(loss(flat[1], flat[0], flat[2])), rel=1e-5)
    per_volume = float(loss(truth, answers, np.array([0.0, 1.0])))
    one = float(loss(flat[1], flat[0], np.repeat([0.0, 1.0], 60).reshape(2, 12, 5)))
    assert per_volume == pytest.approx(one, rel=1e-5)


def test_masks_of_other_volumes_are_refused():
    with pytest.raises(ValueError, match="for volumes"):
        losses.dice(np.zeros((2, 3, 4, 4), int), np.ones((2, 3, 4, 5, 2)) / 2)
