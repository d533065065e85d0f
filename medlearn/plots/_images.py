"""Figures of images: on a grid, in named rows, by class, of neighbours, channels and volumes."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.typing import ColorType
from numpy.typing import ArrayLike

from medlearn.plots._style import COLOURS, RIGHT, WRONG, bare_axes, name_row, put_frame


def images(
    images: Sequence[np.ndarray] | np.ndarray,
    titles: Sequence[str] | None = None,
    *,
    columns: int = 8,
    frames: Sequence[ColorType] | None = None,
    width: float = 8.0,
) -> Figure:
    """Show images on a grid, row by row.

    Parameters
    ----------
    images : sequence of array_like, each of shape (H, W) or (H, W, 3)
        Images from 0 to 255.
    titles : sequence of str, optional
        A title for each image.
    columns : int
        Images in a row, at most.
    frames : sequence of color, optional
        The colour of a frame around each image.
    width : float
        Width of the figure in inches.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    return _image_grid(images, titles, columns, frames, width)


def grid(
    rows: Mapping[str, Sequence[np.ndarray]], titles: Sequence[str], *, width: float = 8.0
) -> Figure:
    """Show images in named rows under column titles.

    Parameters
    ----------
    rows : mapping of str to sequence of array_like
        The images (H, W) or (H, W, 3) of each row, from 0 to 255, one under each title.
    titles : sequence of str
        The titles of the columns.
    width : float
        Width of the figure in inches.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    side = width / (len(titles) + 0.6)  # the names take about half a column
    figure, axes = plt.subplots(
        len(rows), len(titles), figsize=(width, len(rows) * side + 0.3), squeeze=False
    )
    for row, (name, row_images) in zip(axes, rows.items()):
        for ax, image in zip(row, row_images):
            ax.imshow(image, vmin=0, vmax=255)
            bare_axes(ax)
        name_row(row[0], name)
    for ax, title in zip(axes[0], titles):
        ax.set_title(title, fontsize=9, loc="center")
    return figure


def contact_sheet(
    images: Sequence[np.ndarray] | np.ndarray,
    labels: ArrayLike,
    classes: Sequence[str],
    *,
    per_class: int = 6,
    seed: int = 0,
) -> Figure:
    """Show random images of every class that occurs, one class per row.

    Parameters
    ----------
    images : sequence of array_like, each of shape (H, W) or (H, W, 3)
        Images from 0 to 255.
    labels : array_like of int, shape (N,)
        Class indices.
    classes : sequence of str
        The names of the classes.
    per_class : int
        Images per class, at most.
    seed : int
        Random seed of the choice.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    labels, random = np.asarray(labels), np.random.default_rng(seed)
    present = [index for index in range(len(classes)) if (labels == index).any()]
    figure, axes = plt.subplots(
        len(present), per_class, figsize=(8, len(present) * 6.8 / per_class), squeeze=False
    )
    for row, class_index in zip(axes, present):
        members = random.permutation(np.flatnonzero(labels == class_index))[:per_class]
        for ax in row:
            bare_axes(ax)
        for ax, index in zip(row, members):
            ax.imshow(images[index], cmap="gray", vmin=0, vmax=255)
        name_row(row[0], classes[class_index])
    return figure


def neighbours(
    images: Sequence[np.ndarray] | np.ndarray,
    labels: Sequence[int] | np.ndarray,
    classes: Sequence[str],
    query: int,
    nearest: Sequence[int],
    *,
    title: str = "",
) -> Figure:
    """Show an image and its nearest neighbours.

    A blue frame marks a neighbour of the same class, an orange-red one a neighbour of another.

    Parameters
    ----------
    images : sequence of array_like, each of shape (H, W) or (H, W, 3)
        Images from 0 to 255.
    labels : sequence of int, shape (N,)
        Class indices.
    classes : sequence of str
        The names of the classes.
    query : int
        Index of the image.
    nearest : sequence of int
        Indices of its neighbours, nearest first.
    title : str
        The title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    titles, frames = [f"query:\n{classes[labels[query]]}"], ["black"]
    for index in nearest:
        same = labels[index] == labels[query]
        titles.append(f"{'=' if same else '≠'}\n{classes[labels[index]]}")
        frames.append(RIGHT if same else WRONG)
    indices = [query, *nearest]
    figure = _image_grid([images[index] for index in indices], titles, len(indices), frames)
    figure.set_size_inches(8, 8 / len(indices) + 0.75)
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    return figure


def feature_maps(image: np.ndarray, maps: Mapping[str, np.ndarray], *, channels: int = 5) -> Figure:
    """Show an image and the channels of each layer that vary most.

    Parameters
    ----------
    image : array_like, shape (H, W, 3)
        The image, from 0 to 255.
    maps : mapping of str to numpy.ndarray, each of shape (h, w, C)
        The feature maps of each layer.
    channels : int
        Channels per layer.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, one row per layer.
    """
    figure, axes = plt.subplots(
        len(maps), channels + 1, figsize=(8, 1.4 * len(maps)), squeeze=False
    )
    for row, (name, values) in zip(axes, maps.items()):
        strongest = np.argsort(values.std((0, 1)))[::-1][:channels]
        pictures = [image, *(values[..., channel] for channel in strongest)]
        for ax, picture in zip(row, pictures):
            ax.imshow(picture, cmap="magma", interpolation="nearest")
            bare_axes(ax)
        name_row(row[0], f"{name}\n{'x'.join(map(str, values.shape))}")
    return figure


def intensity_window(
    values: np.ndarray,
    centre: float,
    width: float,
    *,
    spacing: tuple[float, float] = (1.0, 1.0),
    unit: str = "",
) -> Figure:
    """Show an image through an intensity window, beside the histogram of its values.

    Values from centre - width / 2 (black) to centre + width / 2 (white) can be told apart.

    Parameters
    ----------
    values : numpy.ndarray, shape (H, W)
        The values, in `unit`.
    centre, width : float
        Centre and width of the window, in `unit`.
    spacing : tuple of float
        Distance of the pixels (down, right) in mm.
    unit : str
        The name of the unit, such as ``"Hounsfield units"``.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    low, high = centre - width / 2, centre + width / 2
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4))
    left.imshow(values, cmap="gray", vmin=low, vmax=high, extent=_extent(values.shape, spacing))
    left.set(xlabel="mm", ylabel="mm", title=f"centre {centre:g}, width {width:g}")
    right.hist(values.ravel(), bins=100, color="0.5", log=True)
    right.axvspan(low, high, color=COLOURS[1], alpha=0.35)
    right.set(xlabel=unit, ylabel="pixels", title="orange: what the window tells apart")
    return figure


def orthogonal_planes(volume: np.ndarray, spacing: Sequence[float], axes: Sequence[str]) -> Figure:
    """Show the three middle planes of a volume to scale.

    Parameters
    ----------
    volume : numpy.ndarray, shape (X, Y, Z)
        The volume.
    spacing : sequence of float, length 3
        Distance of the voxels along each axis in mm.
    axes : sequence of str, length 3
        The direction in which each axis runs, such as ``("R", "A", "S")``.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, panels = plt.subplots(1, 3, figsize=(8, 3.2))
    for panel, (right, up) in zip(panels, [(0, 1), (0, 2), (1, 2)]):
        cut = 3 - right - up
        plane = np.take(volume, volume.shape[cut] // 2, axis=cut).T
        rows, columns = plane.shape
        panel.imshow(
            plane,
            cmap="gray",
            origin="lower",
            extent=(0, columns * spacing[right], 0, rows * spacing[up]),
        )
        panel.set(
            xlabel=f"towards {axes[right]}, mm",
            ylabel=f"towards {axes[up]}, mm",
            title=f"{columns} x {rows} pixels",
        )
    return figure


def _image_grid(images, titles=None, columns=8, frames=None, width=8.0) -> Figure:
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    height = rows * (width / columns + 0.28 * (titles is not None))
    figure, axes = plt.subplots(rows, columns, figsize=(width, height), squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for index, (ax, image) in enumerate(zip(axes.flat, images)):
        ax.imshow(image, vmin=0, vmax=255)
        if titles is not None:
            ax.set_title(titles[index], fontsize=9, loc="center")
        if frames is not None:
            put_frame(ax, frames[index])
    return figure


def _extent(shape, spacing) -> tuple[float, float, float, float]:
    return 0, shape[1] * spacing[1], shape[0] * spacing[0], 0
