"""Charts of the committed tables, simulated beside real: numbers only, never a pixel of the images."""

import csv
from pathlib import Path

import matplotlib

from medlearn import _files

SIMULATED, REAL = (
    "#0173b2",
    "#de8f05",
)  # blue and orange of seaborn's palette for colour-blind readers
STYLE = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "medlearn",
}
CHARTS = {
    "fine_tuning": "Macro-F1 with 20 labelled cells a class, simulated and real, for each way of using a borrowed network: "
    "dots with 95 % intervals.",
    "adaptation": "Macro-F1 or accuracy in the new laboratory without adaptation, with the adaptation that was chosen without labels, "
    "and with the labels of the new laboratory: one row for each pair of laboratories, simulated and real.",
}


def table(name: str) -> list[dict[str, str]]:
    """The rows of a committed table."""
    _, (columns, *rows) = read(_files.folder("results") / f"{name}.csv")
    return [dict(zip(columns, row)) for row in rows]


def read(path: Path) -> tuple[list[str], list[list[str]]]:
    """The lines of comment at a table's head, and its rows; the first row names the columns."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.lstrip("# ") for line in lines if line.startswith("#")], list(
        csv.reader(line for line in lines if line[:1] != "#")
    )


def draw(folder: Path) -> None:
    """Draw every chart into the folder."""
    import matplotlib.pyplot as plt

    matplotlib.use("Agg")
    folder.mkdir(parents=True)
    with plt.rc_context(STYLE):
        for name, chart in (("fine_tuning", _fine_tuning), ("adaptation", _adaptation)):
            figure = chart(plt)
            figure.savefig(folder / f"{name}.svg", bbox_inches="tight")
            plt.close(figure)


def _fine_tuning(plt):
    rows = [row for row in table("transfer_summary") if row["labels"] == "20"]
    methods = list(dict.fromkeys(row["method"] for row in rows))[::-1]
    figure, ax = plt.subplots(figsize=(7, 0.6 + 0.5 * len(methods)))
    for data, colour, marker, aside in (("smear", SIMULATED, "o", 0.12), ("wbc", REAL, "s", -0.12)):
        mine = [row for row in rows if row["data"] == data]
        score, low, high = (
            [float(row[key]) for row in mine]
            for key in ("macro_f1", "macro_f1_low", "macro_f1_high")
        )
        places = [methods.index(row["method"]) + aside for row in mine]
        ax.hlines(places, low, high, color=colour)
        ax.plot(
            score,
            places,
            marker,
            color=colour,
            label=f"simulated cells ({data})" if data == "smear" else f"real cells ({data})",
        )
    ax.set(
        yticks=range(len(methods)),
        yticklabels=methods,
        xlabel="macro-F1, 20 labelled cells a class, 95 % interval",
    )
    ax.set_ylim(-0.5, len(methods) - 0.5)
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.16), ncols=2, frameon=False)
    return figure


def _adaptation(plt):
    rows = table("adaptation_summary")
    pairs = list(dict.fromkeys(row["pair"] for row in rows))[::-1]
    figure, ax = plt.subplots(figsize=(7, 0.8 + 0.5 * len(pairs)))
    shown = {
        "source only": ("o", "white"),
        "chosen by consensus": ("o", None),
        "oracle": ("|", None),
    }
    for place, pair in enumerate(pairs):
        colour = REAL if pair.startswith("wbc") else SIMULATED
        score = {row["choice"]: float(row["score"]) for row in rows if row["pair"] == pair}
        ax.plot(
            [score["source only"], score["oracle"]],
            [place, place],
            color=colour,
            linewidth=1,
            alpha=0.5,
        )
        for choice, (marker, face) in shown.items():
            ax.plot(
                score[choice],
                place,
                marker,
                color=colour,
                markerfacecolor=face or colour,
                markersize=9,
                markeredgewidth=1.5,
            )
    for choice, (marker, face) in shown.items():
        ax.plot(
            [],
            [],
            marker,
            color="0.3",
            markerfacecolor=face or "0.3",
            label=choice,
            linestyle="none",
            markersize=9,
        )
    names = [f"{pair} ({'real' if pair.startswith('wbc') else 'simulated'})" for pair in pairs]
    ax.set(
        yticks=range(len(pairs)),
        yticklabels=names,
        xlabel="score in the new laboratory",
        xlim=(0, 1),
    )
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.2), ncols=3, frameon=False)
    return figure
