"""Boxes on pictures, and how good they are."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import patheffects
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from medlearn.plots._style import COLOURS, RIGHT, WRONG, bare_axes

_OUTLINE = [patheffects.withStroke(linewidth=3, foreground="black", alpha=0.55)]
_TONES = ("#56B4E9", "#F0E442", "#E69F00", "#009E73", "#FFFFFF")


def images_with_boxes(
    pictures, boxes, classes, *, titles=None, wrong=None, scores=False, columns=3, width=8.0
):
    """Pictures (N, H, W, 3), each with its boxes (k, 5 or 6) of [y0, x0, y1, x1, class, score], one colour a class.

    `wrong`: N arrays (k,), true where a box is to be dashed. `scores`: write them beside the boxes, if there are any.
    """
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    height, broad = np.shape(pictures[0])[:2]
    tall = width / columns * height / broad + 0.26 * (titles is not None)
    figure, axes = plt.subplots(rows, columns, figsize=(width, rows * tall + 0.35), squeeze=False)
    for index, ax in enumerate(axes.flat):
        bare_axes(ax)
        if index < len(pictures):
            ax.imshow(pictures[index], vmin=0, vmax=255)
            draw_boxes(
                ax, boxes[index], dashed=None if wrong is None else wrong[index], scores=scores
            )
            ax.set_title(titles[index] if titles is not None else "", fontsize=9, loc="center")
    _name_classes(figure, classes)
    return figure


def draw_boxes(ax, boxes, *, dashed=None, scores=False, colour=None, linewidth=1.6):
    """Draw boxes (k, 5 or 6) on an axes that shows their picture, in the colours of their classes or in one."""
    for index, box in enumerate(boxes):
        y0, x0, y1, x1 = box[:4]
        tone = colour or _TONES[int(box[4]) % len(_TONES)]
        broken = dashed is not None and dashed[index]
        # Pixel 0 is drawn from -0.5 to 0.5; the edges of boxes count from its left side.
        ax.add_patch(
            Rectangle(
                (x0 - 0.5, y0 - 0.5),
                x1 - x0,
                y1 - y0,
                fill=False,
                edgecolor=tone,
                linewidth=linewidth,
                linestyle=(0, (3, 2)) if broken else "-",
                path_effects=None if broken else _OUTLINE,
            )
        )
        if scores and len(box) > 5:
            ax.text(
                x0 + 1,
                y0 + 1,
                f"{box[5]:.2f}"[1:],
                color="white",
                fontsize=7,
                va="top",
                path_effects=_OUTLINE,
            )


def detection_targets(picture, boxes, centres, sides, stride, classes, cell=None, *, width=8.0):
    """What the grid should say: left the hills of the centres (h, w, classes), right which cells draw a box, and how one does.

    sides: (h, w, 5), distances and a weight. `cell`: (row, column) whose four distances are drawn; None for one deep inside a large box.
    """
    figure, axes = plt.subplots(
        1, 2, figsize=(width, width / 2 * picture.shape[0] / picture.shape[1] + 0.75)
    )
    for ax in axes:
        ax.imshow(picture, extent=(0, picture.shape[1], picture.shape[0], 0))
        bare_axes(ax)
    hills = np.zeros((*centres.shape[:2], 4))
    for kind in range(centres.shape[-1]):
        tone = to_rgb(_TONES[kind])
        painted = np.dstack([np.broadcast_to(tone, (*centres.shape[:2], 3)), centres[..., kind]])
        hills = np.where(painted[..., 3:] > hills[..., 3:], painted, hills)
    axes[0].imshow(
        hills, extent=(0, picture.shape[1], picture.shape[0], 0), interpolation="nearest", alpha=0.9
    )
    _grid_lines(axes[0], picture, stride)
    axes[0].set_title("centres: a hill in the cells around each", fontsize=9, loc="center")
    weight = sides[..., 4]
    axes[1].imshow(
        np.dstack([np.ones((*weight.shape, 3)), 0.55 * (weight > 0)]),
        interpolation="nearest",
        extent=(0, picture.shape[1], picture.shape[0], 0),
    )
    _grid_lines(axes[1], picture, stride)
    draw_boxes(axes[1], boxes, linewidth=1.2)
    depth = np.where(weight > 0, sides[..., :4].min(-1), -1)
    _arrows(axes[1], sides, cell or np.unravel_index(depth.argmax(), depth.shape), stride)
    axes[1].set_title("sides: white cells draw; the arrows of one", fontsize=9, loc="center")
    _name_classes(figure, classes)
    return figure


def precision_recall_curve(hits, total, *, title=""):
    """Precision over sensitivity for boxes in order of their score: hits (k,) of yes or no, `total` objects; the area is AP."""
    hits = np.asarray(hits, float)
    precision, sensitivity = hits.cumsum() / np.arange(1, len(hits) + 1), hits.cumsum() / total
    raised = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.append(0, sensitivity)
    figure, ax = plt.subplots(figsize=(5.6, 3.4))
    ax.stairs(
        raised,
        steps,
        fill=True,
        color=RIGHT,
        alpha=0.25,
        label=f"area {(np.diff(steps) * raised).sum():.2f}",
    )
    ax.plot(sensitivity, precision, color=RIGHT, linewidth=1, zorder=1)
    for value, name, colour in ((1, "a hit", RIGHT), (0, "a false alarm", WRONG)):
        here = hits == value
        if len(hits) < 30:
            ax.scatter(sensitivity[here], precision[here], color=colour, s=40, label=name, zorder=3)
    ax.set(xlim=(0, 1.02), ylim=(0, 1.06), xlabel="sensitivity", ylabel="precision", title=title)
    ax.legend(loc="lower left")
    return figure


def froc_curve(
    curves, *, xlabel="false alarms per image", marks=(0.125, 0.25, 0.5, 1, 2, 4, 8), title=""
):
    """Free-response curves: name -> (alarms, sensitivity, scores) of `metrics.froc_curve`; alarms on a scale of doublings."""
    figure, ax = plt.subplots(figsize=(6.4, 3.8))
    for colour, (name, (alarms, sensitivity, _)) in zip(COLOURS, curves.items()):
        ax.step(
            np.maximum(alarms, marks[0] / 2),
            sensitivity,
            where="post",
            color=colour,
            label=name,
            linewidth=2,
        )
    ax.set_xscale("log", base=2)
    ax.set_xticks(marks, [f"{mark:g}" for mark in marks])
    ax.set(
        xlim=(marks[0] / 2, marks[-1]),
        ylim=(0, 1.02),
        xlabel=xlabel,
        ylabel="sensitivity",
        title=title,
    )
    ax.legend(loc="lower right")
    return figure


def count_agreement(true, counted, classes, *, width=8.0):
    """Counted over true numbers per image, (N, classes) each, a panel a class; on the dotted line both agree."""
    figure, axes = plt.subplots(
        1, len(classes), figsize=(width, width / len(classes) + 0.4), squeeze=False
    )
    shift = np.random.default_rng(0).uniform(
        -0.18, 0.18, (2, *np.shape(true))
    )  # so that equal points show
    for kind, (ax, name) in enumerate(zip(axes[0], classes)):
        top = max(np.max(true[:, kind]), np.max(counted[:, kind])) + 1
        ax.axline((0, 0), slope=1, color="0.5", linestyle=":", linewidth=1.5)
        ax.scatter(
            true[:, kind] + shift[0, :, kind],
            counted[:, kind] + shift[1, :, kind],
            s=22,
            alpha=0.6,
            color=RIGHT,
            linewidths=0,
        )
        ax.set(
            xlim=(-0.5, top),
            ylim=(-0.5, top),
            title=name,
            xlabel="boxes in the truth",
            aspect="equal",
        )
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.yaxis.get_major_locator().set_params(integer=True)
    axes[0, 0].set_ylabel("boxes counted")
    return figure


def box_crops(pictures, boxes, titles=None, *, scale=1.6, columns=8, width=8.0, frames=None):
    """A square around each box: pictures (N, H, W, 3), one box (N, 4 or more) for each; `room` times as wide as the box."""
    columns = min(columns, len(boxes))
    rows, side = -(-len(boxes) // columns), width / columns
    figure, axes = plt.subplots(
        rows, columns, figsize=(width, rows * (side + 0.28 * (titles is not None))), squeeze=False
    )
    for index, ax in enumerate(axes.flat):
        bare_axes(ax)
        if index >= len(boxes):
            continue
        y0, x0, y1, x1 = np.asarray(boxes[index][:4], float)
        half, y, x = scale * max(y1 - y0, x1 - x0) / 2, (y0 + y1) / 2, (x0 + x1) / 2
        ax.imshow(pictures[index], vmin=0, vmax=255)
        draw_boxes(ax, [boxes[index][:5]], colour=None if frames is None else frames[index])
        ax.set(xlim=(x - half, x + half), ylim=(y + half, y - half), facecolor="0.85")
        if titles is not None:
            ax.set_title(titles[index], fontsize=8, loc="center")
    return figure


def _grid_lines(ax, picture, stride) -> None:
    height, width = picture.shape[:2]
    ax.vlines(np.arange(0, width + 1, stride), 0, height, color="black", linewidth=0.3, alpha=0.4)
    ax.hlines(np.arange(0, height + 1, stride), 0, width, color="black", linewidth=0.3, alpha=0.4)
    ax.set(xlim=(0, width), ylim=(height, 0))


def _arrows(ax, sides, cell, stride) -> None:
    y, x = ((place + 0.5) * stride for place in cell)
    top, left, bottom, right = sides[cell[0], cell[1], :4]
    for dy, dx in ((-top, 0), (0, -left), (bottom, 0), (0, right)):
        ax.annotate(
            "",
            (x + dx, y + dy),
            (x, y),
            arrowprops={
                "arrowstyle": "-|>",
                "color": WRONG,
                "linewidth": 2,
                "shrinkA": 0,
                "shrinkB": 0,
            },
        )


def _name_classes(figure, classes) -> None:
    handles = [
        Rectangle((0, 0), 1, 1, facecolor=_TONES[kind % len(_TONES)], edgecolor="0.3")
        for kind in range(len(classes))
    ]
    figure.legend(
        handles, classes, loc="outside lower center", ncols=len(classes), fontsize=9, frameon=False
    )
