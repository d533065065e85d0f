"""Colours that colour-blind readers can tell apart, and the small things that figures share."""

import seaborn as sns

COLOURS = tuple(sns.color_palette("colorblind"))
RIGHT, WRONG = COLOURS[0], COLOURS[3]
OUTLINES = ("#FFFFFF", "#F0E442", "#56B4E9", "#E69F00", "#009E73")


def bare_axes(ax) -> None:
    """An axes with neither ticks nor spines."""
    ax.set(xticks=[], yticks=[])
    sns.despine(ax=ax, left=True, bottom=True)


def put_frame(ax, colour) -> None:
    """A coloured frame around a picture."""
    ax.axis("on")
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=True, color=colour, linewidth=3)


def dot(ax, row: float, value: float, low: float, high: float, colour, *, size: float = 5) -> None:
    """A value and its interval as a dot on a pale bar, in a row of the axes."""
    ax.plot(
        [low, high],
        [row, row],
        color=colour,
        linewidth=0.4 * size + 1,
        alpha=0.45,
        solid_capstyle="round",
    )
    ax.plot(value, row, "o", color=colour, markersize=size)


def chance_line(draw_line, chance) -> None:
    """A dotted line at what always guessing the most frequent class would score, if given."""
    if chance is not None:
        draw_line(
            chance,
            color="0.5",
            linestyle=":",
            linewidth=1.5,
            label="always the most frequent class",
        )
