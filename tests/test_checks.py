"""The one check of each kind: what it accepts, and the sentence with which it refuses the rest."""

import numpy as np
import pandas as pd
import pytest

from medlearn import _checks

IMAGES = np.full((2, 8, 8, 3), 200, np.uint8)
MASKS = np.zeros((2, 4, 4), int)
BOX = [0, 0, 4, 4, 1]
ROWS = [[0.9, 0.1], [0.2, 0.8]]


class Model:
    name, input_shape = "encoder", (None, 8, 8, 3)


# ---- accepted ----------------------------------------------------------------------------------


def test_images_of_bytes_and_floats_are_returned_as_they_are():
    for dtype in (np.uint8, np.float16, np.float32, np.float64):
        images = IMAGES.astype(dtype)
        assert _checks.images(images, Model()) is images


def test_an_all_black_batch_is_accepted():
    assert _checks.images(np.zeros((2, 8, 8, 3))).shape == (2, 8, 8, 3)


def test_images_of_a_memory_map_are_read_in_parts(tmp_path):
    images = np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.float32, (600, 2, 2, 3))
    images[:] = 100
    assert np.shares_memory(_checks.images(images), images)
    images[599, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        _checks.images(images)


def test_a_list_of_images_of_one_size_becomes_an_array():
    assert _checks.images(list(IMAGES)).shape == IMAGES.shape


def test_probabilities_of_the_positive_class_become_two_columns():
    labels, probabilities = _checks.labels_and_probabilities([0, 1], [0.25, 1.0])
    np.testing.assert_array_equal(probabilities, [[0.75, 0.25], [0.0, 1.0]])
    assert labels.dtype == int
    np.testing.assert_array_equal(_checks.probabilities(ROWS), ROWS)


def test_labels_may_be_text_numbers_or_booleans():
    labels, predictions = _checks.labels_and_predictions(["a", "b"], ["b", "b"])
    assert labels.tolist() == ["a", "b"] and predictions.tolist() == ["b", "b"]
    assert _checks.labels_and_predictions([0, 1], [0.0, 1.0])[1].tolist() == [0, 1]
    assert _checks.binary_labels([True, False]).tolist() == [True, False]
    assert _checks.binary_labels([1, 1], both=False).all()
    labels, scores = _checks.binary_labels_and_scores([0, 1], [3, -2])
    assert labels.dtype == bool and scores.dtype == float


def test_vectors_become_float64():
    assert _checks.vectors(np.ones((3, 2), np.float32)).dtype == np.float64


def test_boxes_may_cross_the_edge_and_an_empty_list_is_no_box():
    crossing = [[-5, 0, 4, 4, 1]]
    np.testing.assert_array_equal(_checks.boxes(crossing, shape=(32, 32), classes=2), crossing)
    assert _checks.boxes([], columns=5).shape == (0, 5)
    assert _checks.boxes([[0, 0, 1, 1, 0, 0.5]], columns=6).shape == (1, 6)


def test_masks_keep_their_type():
    true, predicted = _checks.masks_and_predictions(MASKS.astype(np.uint8), MASKS == 1)
    assert true.dtype == np.uint8 and predicted.dtype == bool


def test_whole_numbers_and_levels():
    assert _checks.whole_number("count", np.int32(3), 1, 5) == 3
    assert _checks.whole_number("count", 10**6, 1) == 10**6
    assert _checks.fraction("dropout", 0) == 0
    assert _checks.level(0.95) is _checks.share("specificity", 1) is None


# ---- refused -----------------------------------------------------------------------------------

IMAGE_ERRORS = [
    (IMAGES[0], r"\(8, 8, 3\), but expected is \(N, H, W, 3\).*images\[None\]"),
    (IMAGES[..., 0], r"grey images go in as np.repeat\(images\[..., None\], 3, axis=-1\)"),
    (IMAGES[..., :1], r"grey images go in as np.repeat\(images, 3, axis=-1\)"),
    (IMAGES[:0], "no image: the array of images is empty"),
    (IMAGES.astype(np.int16), "type int16, but uint8 or float from 0 to 255"),
    (IMAGES / 255, "run from 0.784314 to 0.784314, but 0 to 255 is expected.*without rescaling"),
    (IMAGES - 210.0, "run from -10 to -10, but"),
    (IMAGES + 100.0, "run from 300 to 300, but"),
    (np.where(IMAGES > 0, np.inf, 0), "not finite"),
    ([IMAGES[0], IMAGES[0, :4]], r"several sizes, such as \(4, 8, 3\) and \(8, 8, 3\): crop or"),
]


@pytest.mark.parametrize("values, sentence", IMAGE_ERRORS)
def test_wrong_images(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        _checks.images(values)


def test_images_of_another_size_than_the_model_takes():
    with pytest.raises(ValueError, match=r"encoder was built for \(N, 8, 8, 3\): load the images"):
        _checks.images(np.full((1, 4, 4, 3), 200.0), Model())
    with pytest.raises(ValueError, match=r"encoder takes \(N, 8, 8, 3\)"):
        _checks.images(np.full((1, 8, 8, 4), 200.0), Model())
    with pytest.raises(ValueError, match="The target images have the shape"):
        _checks.images(IMAGES[0], name="target images")


NAN = [0.1, np.nan]
LABEL_ERRORS = [
    (_checks.column, ("scores", NAN), "scores holds 1 NaN among 2"),
    (_checks.column, ("patients", None), "patients is missing: give one entry per image"),
    (_checks.column, ("patients", "ab"), "patients is one entry per image"),
    (_checks.column, ("labels", []), r"labels is one entry per image.*\(0,\)"),
    (_checks.labels_and_predictions, ([0, 1, 1], [0, 1]), "3 labels, 2 predictions"),
    (_checks.labels_and_predictions, ([0, 1], ROWS), r"one class per image.*argmax\(axis=1\)"),
    (_checks.labels_and_predictions, ([0, 1], [0.25, 1]), "predictions such as 0.25 .* decide"),
    (_checks.labels_and_predictions, (["a", "b"], [0, 1]), "both as text or both as numbers"),
    (_checks.binary_labels, ([0, 2],), "0 .no. or 1 .yes. here, not 0, 2; .* labels == 2"),
    (_checks.binary_labels, (["no", "yes"],), "labels == 'yes'"),
    (_checks.binary_labels, ([0, 0],), r"All 2 images have the same label, none is 1 \(yes\)"),
    (_checks.binary_labels, ([1, 1],), r"none is 0 \(no\)"),
    (_checks.binary_labels_and_scores, ([0, 1, 1], [0.1, 0.2]), "3 labels, 2 scores"),
    (_checks.labels_and_probabilities, ([0, 1], [0.2, 1.7]), "run from 0.2 to 1.7.* softmax"),
    (_checks.labels_and_probabilities, ([0, 1], NAN), "NaN or infinite values for 1 of 2 images"),
    (_checks.labels_and_probabilities, ([0], [[0.5, 0.4]]), "those of image 0 sum to 0.9"),
    (_checks.labels_and_probabilities, ([0, 1, 1], [0.2, 0.7]), "3 labels, 2 probabilities"),
    (_checks.labels_and_probabilities, ([0, 3], ROWS), "from 0 to 1, .* here they are 0 to 3"),
    (_checks.labels_and_probabilities, (["a", "b"], ROWS), "here they are text"),
    (_checks.labels_and_probabilities, ([], []), r"probabilities have the shape \(N,\)"),
    (_checks.probabilities, ([0.5, 0.5],), "two classes or more, not"),
    (_checks.vectors, (np.zeros(3),), r"one vector per image, \(N, D\), not \(3,\)"),
    (_checks.vectors, ([[1.0, np.nan], [1, 2]], "source features"), "1 of 2 vectors of the source"),
]


@pytest.mark.parametrize("check, values, sentence", LABEL_ERRORS)
def test_wrong_labels_predictions_and_vectors(check, values, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        check(*values)
    assert "\n" not in str(error.value) and len(str(error.value)) < 200


def test_undefined_scores_are_an_error_of_their_own():
    with pytest.raises(_checks.Undefined):
        _checks.binary_labels([1, 1])


def test_features_of_two_domains_have_one_width_and_enough_images():
    source, target = _checks.feature_pair(np.ones((3, 2), int), np.ones((2, 2)))
    assert source.dtype == target.dtype == np.float64
    with pytest.raises(ValueError, match="Source features have 2 columns, target features 4"):
        _checks.feature_pair(source, np.ones((3, 4)))
    with pytest.raises(ValueError, match=r"target has 1 image\(s\).*at least 2"):
        _checks.feature_pair(source, target[:1])


MASK_ERRORS = [
    ((MASKS, MASKS[:, :2]), "each pixel needs both; resize the prediction to the mask"),
    ((MASKS, MASKS / 2), r"predictions are float64, but whole numbers.*argmax"),
    ((MASKS, np.zeros((2, 4, 4, 3))), r"predictions are whole numbers.*\.argmax\(-1\) first"),
    ((MASKS[0], MASKS[0]), r"masks are whole numbers \(N, H, W\).*mask\[None\]"),
    ((MASKS[:0], MASKS[:0]), r"shape is \(0, 4, 4\)"),
    (([MASKS[0], MASKS[0, :2]], MASKS), "masks have different sizes"),
]


@pytest.mark.parametrize("values, sentence", MASK_ERRORS)
def test_wrong_masks(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        _checks.masks_and_predictions(*values)


def test_masks_hold_the_classes_and_belong_to_images():
    assert _checks.masks(MASKS, classes=2, images=np.zeros((2, 4, 4, 3))) is MASKS
    with pytest.raises(ValueError, match=r"beyond the classes 0 to 1, such as 3 .* drop such"):
        _checks.masks([[[0, 3]]], classes=2)
    with pytest.raises(ValueError, match="1 of 1 are affected: take masks > 0"):
        _checks.masks([[[0, 255]]], classes=2)
    with pytest.raises(ValueError, match="give one mask for each image"):
        _checks.masks(MASKS, images=np.zeros((2, 8, 8, 3)))
    with pytest.raises(ValueError, match=r"There are no masks \(None\)"):
        _checks.masks(None)


BOX_ERRORS = [
    ([BOX, [0, 0, 0, 4, 1]], {}, r"Box 1 of 2, .*has no area"),
    ([[0, 0, np.nan, 4]], {}, "NaN"),
    ([[0, 0, 4]], {}, r"shape of this one is \(1, 3\)"),
    ([BOX], {"columns": 6}, r"score\].*shape of this one is \(1, 5\)"),
    ([[40, 0, 50, 4, 1]], {"shape": (32, 32)}, "outside its image of 32 x 32"),
    ([[-9, 0, 0, 4, 1]], {"shape": (32, 32)}, "outside its image"),
    ([BOX], {"classes": 1}, "unknown class: classes are whole numbers from 0 to 0"),
    ([[0, 0, 4, 4, 0.5]], {"classes": 3}, "unknown class"),
    ([["left", 0, 4, 4]], {}, "rows of numbers"),
    ([BOX, [0, 0]], {}, "rows of numbers.*different lengths"),
    (None, {}, r"shape of this one is \(\)"),
]


@pytest.mark.parametrize("values, options, sentence", BOX_ERRORS)
def test_wrong_boxes(values, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        _checks.boxes(values, **options)


def test_wrong_numbers():
    for value, limits, sentence in [
        (0, (1, 5), "count must be a whole number from 1 to 5; it was 0"),
        (6, (1, 5), "from 1 to 5"),
        (2.0, (1,), "of at least 1; it was 2.0"),
        (True, (0,), "it was True"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            _checks.whole_number("count", value, *limits)
    for value in (1, -0.1, "0.5", True, np.nan):
        with pytest.raises(ValueError, match="dropout must be a number from 0 to below 1"):
            _checks.fraction("dropout", value)
    for value in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="specificity is a share from 0 to 1"):
            _checks.share("specificity", value)
    for value in (0, 1, 95, np.nan):
        with pytest.raises(ValueError, match="level is the confidence of the interval"):
            _checks.level(value)


# ---- columns as people have them -----------------------------------------------------------------


def test_columns_of_pandas_and_of_one_column_are_read():
    table = pd.DataFrame({"text": ["a", "b", "a"], "number": [1, 0, 1]})
    assert _checks.column("labels", table["text"]).tolist() == ["a", "b", "a"]
    assert _checks.column("labels", table["text"].astype("category")).dtype.kind == "U"
    assert _checks.column("labels", table["number"].astype("Int64")).dtype.kind == "i"
    assert _checks.column("labels", table[["number"]].to_numpy()).tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "values", [["a", None], ["a", float("nan")], pd.Series(["a", pd.NA], dtype="string")]
)
def test_missing_values_of_any_type_are_refused(values):
    with pytest.raises(ValueError, match="patients holds 1 missing .* an id of their own"):
        _checks.column("patients", np.asarray(values, object))


def test_text_beside_numbers_is_refused():
    with pytest.raises(ValueError, match="mixes text such as 'a' and numbers such as 1"):
        _checks.column("labels", np.array(["a", 1], object))


def test_one_sigmoid_column_is_the_probability_of_class_1():
    labels, column = [0, 1, 1], np.array([[0.2], [0.7], [0.4]])
    expected = np.array([[0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    np.testing.assert_allclose(_checks.labels_and_probabilities(labels, column)[1], expected)
    np.testing.assert_allclose(_checks.probabilities(column), expected)
    assert _checks.labels_and_predictions(labels, column > 0.5)[1].tolist() == [False, True, False]
    with pytest.raises(ValueError, match="decide first, for example scores >= 0.5"):
        _checks.labels_and_predictions(labels, column)


def test_masks_of_0_and_255_are_refused_with_the_remedy():
    masks = np.zeros((1, 4, 4), np.uint8)
    masks[0, 1] = 255
    for pair in [(masks, masks > 0), (masks // 255, masks)]:
        with pytest.raises(ValueError, match=r"hold 0 and 255.* > 0"):
            _checks.masks_and_predictions(*pair)
