import numpy as np
import pytest
from figures import house_style, texts  # noqa: F401

from medlearn import plots


def ends(patch):
    """Where a patch lies along x; a span is a polygon in older matplotlib, a rectangle in newer."""
    return patch.get_path().transformed(patch.get_patch_transform()).vertices[:, 0]


def test_a_window_shows_what_it_tells_apart_and_its_scale():
    values = np.linspace(-1000, 1000, 20 * 10).reshape(20, 10)
    figure = plots.intensity_window(values, 40, 400, spacing=(2.0, 0.5), unit="HU")
    left, right = figure.axes
    [picture], [band] = (
        left.images,
        [ends(patch) for patch in right.patches if np.isclose(np.ptp(ends(patch)), 400)],
    )
    assert picture.get_clim() == (-160, 240) and np.isclose(band.min(), -160)
    assert picture.get_extent() == [0, 5, 40, 0]
    assert right.get_xlabel() == "HU" and "centre 40, width 400" in texts(figure)


def test_planes_are_to_scale_and_say_where_they_point():
    volume = np.zeros((4, 6, 8))
    volume[2] = 1
    figure = plots.orthogonal_planes(volume, (1.0, 2.0, 3.0), ("L", "A", "S"))
    extents = [[picture.get_extent() for picture in ax.images][0] for ax in figure.axes]
    assert [list(extent) for extent in extents] == [[0, 4, 0, 12], [0, 4, 0, 24], [0, 12, 0, 24]]
    assert [ax.get_xlabel()[:9] for ax in figure.axes] == ["towards L", "towards L", "towards A"]
    assert (
        figure.axes[1].get_ylabel().startswith("towards S")
        and figure.axes[2].get_title(loc="left") == "6 x 8 pixels"
    )
    assert (figure.axes[2].images[0].get_array() == 1).all()  # the middle cut of the first axis


def test_a_contact_sheet_has_a_row_for_each_class_that_occurs():
    labels = np.array([0] * 9 + [2] * 3)
    pictures = np.broadcast_to(labels[:, None, None].astype(np.uint8), (12, 4, 4))
    figure = plots.contact_sheet(pictures, labels, ("one", "none", "two"), per_class=5)
    assert [ax.get_ylabel() for ax in figure.axes[::5]] == ["one", "two"]
    assert [len(ax.images) for ax in figure.axes] == [1] * 8 + [0] * 2
    assert all(
        (ax.images[0].get_array() == value).all()
        for ax, value in zip(figure.axes, [0] * 5 + [2] * 3)
    )


@pytest.mark.parametrize("seed, same", [(0, True), (1, False)])
def test_the_seed_of_a_contact_sheet_matters(seed, same):
    pictures = np.broadcast_to(np.arange(40, dtype=np.uint8)[:, None, None], (40, 2, 2))
    drawn = [
        [
            int(ax.images[0].get_array()[0, 0])
            for ax in plots.contact_sheet(pictures, np.zeros(40, int), ("one",), seed=which).axes
        ]
        for which in (0, seed)
    ]
    assert (drawn[0] == drawn[1]) is same


def test_likenesses_stack_known_pairs_on_the_others():
    figure = plots.similarity_histogram([0.1, 0.12, 0.9, 0.95], [False, False, True, False], 0.8)
    [ax] = figure.axes
    colours = {container[0].get_facecolor()[:3]: len(container) for container in ax.containers}
    heights = [sum(bar.get_height() for bar in container) for container in ax.containers]
    assert len(colours) == 2 and heights == [3, 1]
    assert ax.lines[0].get_xdata()[0] == 0.8 and "from 0.8 on: one picture" in texts(figure)
