"""Charts of the committed tables, simulated beside real: numbers only, no pixel of the images."""

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from medlearn.teaching import language
from medlearn.teaching.language import say
from tools.site import tables

# Blue and orange of seaborn's palette for colour-blind readers.
SIMULATED = "#0173b2"
REAL = "#de8f05"
STYLE = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "medlearn",
}
LABELS_PER_CLASS = "20"
# Of each way to choose: marker, and the colour inside where it is not the line's.
CHOICES = {"source only": ("o", "white"), "chosen by consensus": ("o", None), "oracle": ("|", None)}


def draw(folder: Path) -> None:
    """Draw every chart into a new folder, as SVG."""
    import matplotlib.pyplot as plt

    matplotlib.use("Agg")
    folder.mkdir(parents=True)
    with plt.rc_context(STYLE):
        language.translate_figures()
        for name, (chart, _, _) in CHARTS.items():
            save(chart(plt), folder / f"{name}.svg")


def save(figure: Figure, path: Path) -> None:
    """Write a figure without its date, so that the same table gives the same file; close it.

    Parameters
    ----------
    figure : Figure
        The chart.
    path : Path
        The file, which ends in .svg.
    """
    import matplotlib.pyplot as plt

    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)


def _fine_tuning(plt) -> Figure:
    """Dots with intervals: one row for each recipe, simulated above real."""
    rows = [row for row in tables.records("transfer_summary") if row["labels"] == LABELS_PER_CLASS]
    methods = list(dict.fromkeys(row["method"] for row in rows))[::-1]
    figure, ax = plt.subplots(figsize=(7, 0.6 + 0.5 * len(methods)))
    _dots(ax, rows, methods, "smear", say("simulated cells"), SIMULATED, "o", 0.12)
    _dots(ax, rows, methods, "wbc", say("real cells"), REAL, "s", -0.12)
    ax.set_yticks(range(len(methods)), methods)
    ax.set_ylim(-0.5, len(methods) - 0.5)
    ax.set_xlabel(f"macro-F1, {LABELS_PER_CLASS} labelled cells per class, 95 % interval")
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.16), ncols=2, frameon=False)
    return figure


def _dots(ax, rows, methods, data, label, colour, marker, shift) -> None:
    """One data set's scores and intervals, shifted so that both sets can be seen."""
    of_data = [row for row in rows if row["data"] == data]
    heights = [methods.index(row["method"]) + shift for row in of_data]
    score, low, high = (
        [float(row[column]) for row in of_data]
        for column in ("macro_f1", "macro_f1_low", "macro_f1_high")
    )
    ax.hlines(heights, low, high, color=colour)
    ax.plot(score, heights, marker, color=colour, label=f"{label} ({data})")


def _adaptation(plt) -> Figure:
    """One row for each pair of laboratories: without adaptation, as chosen, with all labels."""
    rows = tables.records("adaptation_summary")
    pairs = list(dict.fromkeys(row["pair"] for row in rows))[::-1]
    figure, ax = plt.subplots(figsize=(7, 0.8 + 0.5 * len(pairs)))
    for height, pair in enumerate(pairs):
        colour = REAL if _is_real(pair) else SIMULATED
        score = {row["choice"]: float(row["score"]) for row in rows if row["pair"] == pair}
        span = [score["source only"], score["oracle"]]
        ax.plot(span, [height, height], color=colour, linewidth=1, alpha=0.5)
        for choice in CHOICES:
            ax.plot(score[choice], height, **_marker(choice, colour))
    for choice in CHOICES:
        ax.plot([], [], label=choice, **_marker(choice, "0.3"))
    names = [f"{pair} ({say('real' if _is_real(pair) else 'simulated')})" for pair in pairs]
    ax.set_yticks(range(len(pairs)), names)
    ax.set(xlabel="score in the new laboratory", xlim=(0, 1))
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.2), ncols=3, frameon=False)
    return figure


def _is_real(pair: str) -> bool:
    return pair.startswith("wbc")


def _marker(choice: str, colour: str) -> dict:
    """Keywords of `plot` for the marker of one way to choose."""
    marker, inside = CHOICES[choice]
    return {
        "marker": marker,
        "color": colour,
        "markerfacecolor": inside or colour,
        "markersize": 9,
        "markeredgewidth": 1.5,
        "linestyle": "none",
    }


# Of each chart: what draws it, the table it shows, and the text in its stead.
CHARTS = {
    "fine_tuning": (
        _fine_tuning,
        "transfer_summary",
        "Macro-F1 with 20 labelled cells per class, simulated and real, for each way of using a "
        "borrowed network: dots with 95 % intervals.",
    ),
    "adaptation": (
        _adaptation,
        "adaptation_summary",
        "Macro-F1 or accuracy in the new laboratory without adaptation, with the adaptation that "
        "was chosen without labels, and with the labels of the new laboratory: one row for each "
        "pair of laboratories, simulated and real.",
    ),
}
