"""Three planes of a volume: to scale, upright, and in the console that scrolls them."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from figures import house_style  # noqa: F401
from PIL import Image

from medlearn import plots
from medlearn.teaching import widgets

SPACING = (4.0, 2.0, 1.0)
VOLUME = np.zeros((10, 30, 24), np.float32)  # 40 x 60 x 24 mm
VOLUME[8, 5, 3] = 255  # near the head, in front, at the patient's right
MASK = (VOLUME > 0).astype(np.uint8)
BRIGHT = (8, 5, 3)


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def pictures(figure):
    return [ax.images[0] for ax in figure.axes]


def test_the_planes_have_one_scale_in_millimetres():
    axial, coronal, sagittal = pictures(plots.volume_planes(VOLUME, spacing=SPACING))
    assert tuple(axial.get_extent()) == (0, 24, 60, 0)
    assert tuple(coronal.get_extent()) == (0, 24, 40, 0)
    assert tuple(sagittal.get_extent()) == (0, 60, 40, 0)
    figure = axial.figure
    figure.canvas.draw()
    scales = [ax.get_window_extent().width / ax.images[0].get_extent()[1] for ax in figure.axes]
    np.testing.assert_allclose(scales, scales[0], rtol=0.02)


def test_each_plane_shows_the_voxel_where_a_radiologist_expects_it():
    figure = plots.volume_planes(VOLUME, spacing=SPACING, at=BRIGHT)
    places = [np.argwhere(picture.get_array()[..., 0] == 1)[0] for picture in pictures(figure)]
    # axial: front up, right at the left; coronal and sagittal: head up, 8 of 0 to 9 is 1 from it.
    np.testing.assert_array_equal(places, [[5, 3], [1, 3], [1, 5]])
    for ax, (row, column), height, width in zip(figure.axes, places, (2, 4, 4), (1, 1, 2)):
        across, down = ax.lines
        assert across.get_ydata()[0] == (row + 0.5) * height
        assert down.get_xdata()[0] == (column + 0.5) * width


def test_a_mask_is_painted_and_named():
    figure = plots.volume_planes(
        VOLUME, MASK, SPACING, at=BRIGHT, mask_classes=("background", "lesion"), title="A head"
    )
    assert len(set(pictures(figure)[0].get_array()[5, 3])) > 1  # a colour, and no grey
    assert [text.get_text() for text in figure.legends[0].texts] == ["lesion"]
    assert figure.get_suptitle() == "A head"


def test_the_console_scrolls_and_reads_the_voxel():
    console = widgets.volume_planes(
        VOLUME, MASK, SPACING, mask_classes=("background", "lesion"), width=200
    )
    dials, (picture, text) = (column.children for column in console.children)
    assert [dial.description for dial in dials] == ["z", "y", "x", "colours"]
    assert "volume[5, 15, 12] = 0, background; a voxel has 4 x 2 x 1 mm" in text.value
    before = picture.value
    for dial, index in zip(dials, BRIGHT):
        dial.value = index
    assert "volume[8, 5, 3] = 255, lesion" in text.value and picture.value != before
    pixels = np.asarray(Image.open(io.BytesIO(picture.value)))
    assert pixels.shape == (200, 200, 3)
    # The volume is 24 + 60 mm broad and 40 + 60 mm high: 196 pixels for 100 mm.
    assert (pixels[:, 180:] == 0).all() and pixels[:78, 60:160].any()


def test_one_volume_and_its_own_mask_are_expected():
    for show in (plots.volume_planes, widgets.volume_planes):
        with pytest.raises(ValueError, match="give one volume"):
            show(VOLUME[0])
        with pytest.raises(ValueError, match="the mask"):
            show(VOLUME, MASK[1:])
