"""Figures of images, masks, boxes and heat maps: what is drawn is what was passed in."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from figures import house_style, texts  # noqa: F401
from matplotlib.patches import Rectangle

from medlearn import plots

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 255, (5, 16, 16, 3), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 0, 1])
CLASSES = ("neutrophil", "lymphocyte", "monocyte")
MASKS = RANDOM.integers(0, 3, (3, 16, 16))
MASK_CLASSES = ("background", "cytoplasm", "nucleus")
FIELDS = np.zeros((2, 64, 96, 3), np.uint8)
BOXES = np.array([[8, 16, 40, 40, 0, 0.9], [10, 50, 30, 80, 2, 0.25]])


def image_of(ax):
    return ax.images[0].get_array()


# ---- images ------------------------------------------------------------------------------------


def test_images_show_each_image_with_its_title():
    figure = plots.images(IMAGES, list("abcde"), columns=3)
    filled = [ax for ax in figure.axes if ax.images]
    assert len(filled) == 5 and set("abcde") <= set(texts(figure))
    np.testing.assert_array_equal(image_of(filled[4]), IMAGES[4])


def test_a_grid_names_its_rows_and_columns():
    figure = plots.grid({"cell 1": IMAGES[:2], "cell 2": IMAGES[2:4]}, ["lab-a", "lab-b"])
    assert [ax.get_ylabel() for ax in figure.axes] == ["cell 1", "", "cell 2", ""]
    assert [ax.get_title() for ax in figure.axes] == ["lab-a", "lab-b", "", ""]
    np.testing.assert_array_equal(image_of(figure.axes[3]), IMAGES[3])


def test_grey_images_in_a_grid_are_not_stretched():
    dim = np.array([[10, 20]], np.uint8)
    assert plots.grid({"slice": [dim]}, ["3 T"]).axes[0].images[0].get_clim() == (0, 255)


def test_neighbours_frames_tell_same_from_other_class():
    figure = plots.neighbours(IMAGES, LABELS, CLASSES, 0, [3, 1])
    colours = [ax.spines["top"].get_edgecolor()[:3] for ax in figure.axes]
    assert colours[1] == pytest.approx(plots.RIGHT) and colours[2] == pytest.approx(plots.WRONG)


def test_feature_maps_show_the_channels_that_vary_most():
    maps = np.zeros((4, 4, 6))
    maps[0, 0, 5] = 9
    figure = plots.feature_maps(IMAGES[0], {"block_1": maps}, channels=2)
    np.testing.assert_array_equal(image_of(figure.axes[1]), maps[..., 5])
    assert figure.axes[0].get_ylabel() == "block_1\n4x4x6"


def ends(patch):
    """Where a patch lies along x; a span is a polygon in older matplotlib, a rectangle in newer."""
    return patch.get_path().transformed(patch.get_patch_transform()).vertices[:, 0]


def test_an_intensity_window_shows_its_range_and_scale():
    values = np.linspace(-1000, 1000, 20 * 10).reshape(20, 10)
    figure = plots.intensity_window(values, 40, 400, spacing=(2.0, 0.5), unit="HU")
    left, right = figure.axes
    assert left.images[0].get_clim() == (-160, 240)
    assert left.images[0].get_extent() == [0, 5, 40, 0]
    (band,) = [ends(patch) for patch in right.patches if np.isclose(np.ptp(ends(patch)), 400)]
    assert np.isclose(band.min(), -160)
    assert right.get_xlabel() == "HU" and "centre 40, width 400" in texts(figure)


def test_orthogonal_planes_are_to_scale_and_name_their_directions():
    volume = np.zeros((4, 6, 8))
    volume[2] = 1
    axes = plots.orthogonal_planes(volume, (1.0, 2.0, 3.0), ("L", "A", "S")).axes
    extents = [list(ax.images[0].get_extent()) for ax in axes]
    assert extents == [[0, 4, 0, 12], [0, 4, 0, 24], [0, 12, 0, 24]]
    assert [ax.get_xlabel()[:9] for ax in axes] == ["towards L", "towards L", "towards A"]
    assert axes[1].get_ylabel().startswith("towards S")
    assert axes[2].get_title(loc="left") == "6 x 8 pixels"
    assert (image_of(axes[2]) == 1).all()  # the middle cut of the first axis


def test_a_contact_sheet_has_a_row_for_each_class_that_occurs():
    labels = np.array([0] * 9 + [2] * 3)
    images = np.broadcast_to(labels[:, None, None].astype(np.uint8), (12, 4, 4))
    axes = plots.contact_sheet(images, labels, ("one", "none", "two"), per_class=5).axes
    assert [ax.get_ylabel() for ax in axes[::5]] == ["one", "two"]
    assert [len(ax.images) for ax in axes] == [1] * 8 + [0] * 2
    assert [image_of(ax).max() for ax in axes[:8]] == [0] * 5 + [2] * 3


def test_the_seed_of_a_contact_sheet_matters():
    images = np.broadcast_to(np.arange(40, dtype=np.uint8)[:, None, None], (40, 2, 2))
    sheets = []
    for seed in (0, 0, 1):
        axes = plots.contact_sheet(images, np.zeros(40, int), ("one",), seed=seed).axes
        sheets.append([int(image_of(ax)[0, 0]) for ax in axes])
    assert sheets[0] == sheets[1] != sheets[2]


def test_suspect_labels_frame_true_mistakes_blue_and_others_orange_red():
    wrong = [True, False, True, False, True]
    figure = plots.suspect_labels(
        IMAGES, [0, 1, 2, 0, 1], [1, 1, 0, 0, 2], CLASSES, wrong, columns=3
    )
    colours = [ax.spines["left"].get_edgecolor()[:3] for ax in figure.axes if ax.images]
    assert colours == [plots.RIGHT if is_wrong else plots.WRONG for is_wrong in wrong]
    assert "labelled monocyte\npredicted neutrophil" in texts(figure) and len(figure.axes) == 6
    unknown = plots.suspect_labels(IMAGES[:2], [0, 1], [1, 0], CLASSES)
    assert not any(ax.axison for ax in unknown.axes)


# ---- heat maps and slices ----------------------------------------------------------------------

HEAT = np.zeros((3, 16, 16))
HEAT[0, 4, 7], HEAT[0, 4, 6], HEAT[1, 9, 2] = 5, 2, 0.1


def test_each_heat_map_is_scaled_to_itself_and_its_hottest_point_is_crossed():
    rows = {"image": None, "ours": HEAT}
    figure = plots.heat_maps(IMAGES[:3], rows, ["a", "b", "c"], alpha=0.6)
    bare, covered = np.reshape(figure.axes, (2, 3))
    assert [ax.get_title(loc="center") for ax in bare] == ["a", "b", "c"]
    assert covered[0].get_ylabel() == "ours"
    assert all(len(ax.images) == 1 and not ax.lines for ax in bare)
    for ax, (x, y) in zip(covered[:2], [(7, 4), (2, 9)]):
        heat = ax.images[1]
        assert heat.get_array().max() == 1
        assert (heat.get_alpha().min(), heat.get_alpha().max()) == (0, pytest.approx(0.6))
        assert (ax.lines[0].get_xdata()[0], ax.lines[0].get_ydata()[0]) == (x, y)
    assert len(covered[2].images) == 1 and not covered[2].lines  # a map of zeros shows nothing


def test_heat_maps_stand_alone_with_a_box_around_each_place():
    boxes = [(2, 3, 6, 9)] * 3
    rows = {"image": None, "map": HEAT}
    figure = plots.heat_maps(IMAGES[:3], rows, boxes=boxes, over_image=False)
    bare, alone = np.reshape(figure.axes, (2, 3))
    np.testing.assert_array_equal(image_of(bare[0]), IMAGES[0])
    assert [len(ax.images) for ax in alone] == [1, 1, 1] and alone[0].images[0].get_alpha() is None
    assert [len(ax.lines) for ax in alone] == [1, 1, 0]  # no cross on a map of zeros
    frame = alone[0].patches[0]
    assert frame.get_xy() == (2.5, 1.5) and (frame.get_width(), frame.get_height()) == (6, 4)


def test_masks_are_outlined_where_there_are_any():
    masks = np.zeros((3, 16, 16), int)
    masks[1, 3:8, 3:8] = 4
    bare = plots.heat_maps(IMAGES[:3], {"": None}, width=5)
    outlined = plots.heat_maps(IMAGES[:3], {"": None}, masks=masks)
    assert [len(ax.collections) for ax in bare.axes] == [0, 0, 0]
    assert [len(ax.collections) for ax in outlined.axes] == [0, 1, 0]
    assert bare.get_size_inches()[0] == 5


def test_slice_weights_show_weights_and_the_slices_with_the_finding():
    figure = plots.slice_weights(
        IMAGES[:3], [0.1, 0.7, 0.2], [False, True, False], title="stroke", label="attention"
    )
    tops, bottoms = figure.axes[:3], figure.axes[3:]
    assert [ax.patches[0].get_height() for ax in bottoms] == [0.1, 0.7, 0.2]
    colours = [ax.patches[0].get_facecolor() for ax in bottoms]
    assert colours[0] == colours[2] != colours[1]
    assert tops[1].spines["top"].get_edgecolor() == colours[1]
    assert figure.get_suptitle() == "stroke" and bottoms[0].get_ylabel() == "attention"
    np.testing.assert_array_equal(image_of(tops[2]), IMAGES[2])


# ---- masks -------------------------------------------------------------------------------------


def test_a_mask_outline_names_only_the_regions_that_are_there():
    mask = np.zeros((16, 16), int)
    mask[4:9, 4:9] = 2
    words = texts(plots.mask_outline(IMAGES[0], mask, MASK_CLASSES))
    assert "nucleus" in words and "cytoplasm" not in words


def test_blending_leaves_the_background_and_mixes_the_rest():
    image = IMAGES[0] / 255
    clear, half, full = (plots.blend_mask(IMAGES[0], MASKS[0], opacity) for opacity in (0, 0.5, 1))
    np.testing.assert_allclose(clear, image)
    np.testing.assert_allclose(half, (clear + full) / 2)
    np.testing.assert_allclose(full[MASKS[0] == 0], image[MASKS[0] == 0])
    cytoplasm, nucleus = (np.unique(full[MASKS[0] == index], axis=0) for index in (1, 2))
    assert len(cytoplasm) == len(nucleus) == 1 and np.abs(cytoplasm - nucleus).max() > 0.2
    assert IMAGES[0].dtype == np.uint8 and not np.shares_memory(clear, IMAGES)


def test_overlays_show_bare_and_painted_rows_and_name_the_classes():
    rows = {"image": (IMAGES, None), "mask": (IMAGES, MASKS)}
    figure = plots.overlays(rows, list("abc"), MASK_CLASSES, opacity=0.7)
    np.testing.assert_array_equal(image_of(figure.axes[1]), IMAGES[1])
    painted = plots.blend_mask(IMAGES[2], MASKS[2], 0.7)
    np.testing.assert_allclose(image_of(figure.axes[5]), painted)
    words = set(texts(figure))
    assert {*"abc", "image", "mask", "cytoplasm", "nucleus"} <= words and "background" not in words


def test_uncertainty_is_shown_with_the_share_of_wrong_pixels():
    probabilities = np.eye(3)[MASKS[0]]
    probabilities[:8] = 1 / 3  # nothing is known of the upper half, and argmax is the background
    figure = plots.segmentation_uncertainty(
        IMAGES[0], MASKS[0], probabilities, MASK_CLASSES, title="a cell"
    )
    prediction = probabilities.argmax(-1)
    wrong = f"wrong: {(prediction != MASKS[0]).mean():.1%} of pixels"
    assert {wrong, "a cell", "truth", "prediction", "uncertainty"} <= set(texts(figure))
    entropy = np.asarray(image_of(figure.axes[3]))
    np.testing.assert_allclose(entropy[:8], 1, atol=1e-6)
    np.testing.assert_allclose(entropy[8:], 0, atol=1e-4)
    painted = plots.blend_mask(IMAGES[0], prediction, 0.5)
    np.testing.assert_allclose(image_of(figure.axes[1]), painted)


# ---- boxes -------------------------------------------------------------------------------------


def rectangles(ax):
    return [patch for patch in ax.patches if isinstance(patch, Rectangle)]


def boxes_on(ax):
    """The boxes on an axes, as they were passed in."""
    corners = [(patch.get_y() + 0.5, patch.get_x() + 0.5) for patch in rectangles(ax)]
    sides = [(patch.get_height(), patch.get_width()) for patch in rectangles(ax)]
    return np.concatenate([corners, np.add(corners, sides)], axis=1)


def test_boxes_are_in_place_in_their_colours_dashed_if_wrong_with_scores():
    figure = plots.images_with_boxes(
        FIELDS,
        [BOXES, BOXES[:0]],
        CLASSES,
        titles=["first", "second"],
        wrong=[[False, True], []],
        scores=True,
    )
    first, second = figure.axes
    np.testing.assert_allclose(boxes_on(first), BOXES[:, :4])
    solid, dashed = rectangles(first)
    assert solid.get_linestyle() == "-" and dashed.get_linestyle() != "-"
    assert solid.get_edgecolor() != dashed.get_edgecolor()
    assert [text.get_text() for text in first.texts] == [".90", ".25"]
    assert not rectangles(second) and second.get_title("center") == "second"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(CLASSES)
    assert not plots.images_with_boxes(FIELDS, [BOXES, BOXES], CLASSES).axes[0].texts


def test_boxes_may_have_one_colour():
    _, ax = plt.subplots()
    plots.draw_boxes(ax, BOXES, colour="black")
    assert {patch.get_edgecolor() for patch in rectangles(ax)} == {(0, 0, 0, 1)}


def test_box_crops_are_centred_on_their_boxes():
    figure = plots.box_crops(FIELDS, BOXES, ["a", "b"], scale=2.0)
    for ax, (y0, x0, y1, x1) in zip(figure.axes, BOXES[:, :4]):
        assert np.isclose(np.mean(ax.get_xlim()), (x0 + x1) / 2)
        assert np.isclose(np.mean(ax.get_ylim()), (y0 + y1) / 2)
        assert np.isclose(np.ptp(ax.get_xlim()), 2 * max(y1 - y0, x1 - x0))
    assert np.ptp(plots.box_crops(FIELDS, BOXES, scale=1.0).axes[0].get_xlim()) == 32


@pytest.mark.parametrize("cell, y, x", [((2, 8), 20, 68), (None, 28, 28)])
def test_detection_targets_show_the_four_distances_of_a_cell(cell, y, x):
    centres, sides = np.zeros((8, 12, 3)), np.zeros((8, 12, 5))
    centres[1, 2, 0], centres[2, 8, 2] = 0.5, 1
    sides[2, 8] = 10, 18, 10, 12, 1
    sides[3, 3] = 20, 12, 12, 12.5, 1  # the cell far inside a large box
    figure = plots.detection_targets(FIELDS[0], BOXES, centres, sides, 8, CLASSES, cell=cell)
    left, right = figure.axes
    top, before, bottom, after = sides[y // 8, x // 8, :4]
    tips = {(x, y - top), (x - before, y), (x, y + bottom), (x + after, y)}
    assert {tuple(arrow.xy) for arrow in right.texts} == tips
    np.testing.assert_allclose(boxes_on(right), BOXES[:, :4])
    np.testing.assert_allclose(left.images[1].get_array()[..., 3], centres.max(-1))


def test_detection_heatmaps_write_each_value_into_its_cell():
    heatmap = np.zeros((8, 12))
    heatmap[1, 2], heatmap[2, 8], heatmap[7, 11], heatmap[1, 3] = 0.5, 1, 0.7, 0.01
    figure = plots.detection_heatmaps(FIELDS[0], {"centres": heatmap}, 8, (0, 1, 4, 9), boxes=BOXES)
    image, ax = figure.axes
    written = {(text.get_text(), text.get_position()) for text in ax.texts}
    assert written == {(".5", (19.5, 11.5)), ("1", (67.5, 19.5))}  # the third lies outside the part
    assert ax.get_xlim() == (7.5, 79.5) and ax.get_ylim() == (31.5, -0.5)
    np.testing.assert_allclose(boxes_on(image), BOXES[:, :4])
