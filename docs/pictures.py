"""Draw the README's pictures anew, of simulated images and of the numbers in benchmarks/results.

python docs/pictures.py
"""

import io
from pathlib import Path
from typing import NamedTuple

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from medlearn import metrics, plots
from medlearn.instruments import mri, smear
from medlearn.plots._style import dot
from medlearn.teaching import results

HERE = Path(__file__).parent
CLASSES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")
SITES = ("3T-T1w", "3T-T2w", "3T-FLAIR", "1.5T-FLAIR", "PD")
# Each meaning has a colour and a shape.
OTHER, OURS, WITH_SIMULATOR, ORACLE = "0.6", plots.COLOURS[1], plots.COLOURS[2], plots.COLOURS[0]
MARKERS = {OTHER: "o", OURS: "s", WITH_SIMULATOR: "^", ORACLE: "D"}
MEANING = {
    OTHER: "another recipe, or from elsewhere as it is",
    OURS: "what the course teaches",
    WITH_SIMULATOR: "the same, and simulated cells as a second teacher",
    ORACLE: "learned on the spot",
}


# ---- the first look ------------------------------------------------------------------------------


def first_look() -> Figure:
    """Five cells at two laboratories, and one slice of a head at five scanners."""
    head = mri.prepare("tumour", seed=3, size=160)
    scans = [mri.scan(head, site) for site in SITES]
    figure, axes = plt.subplots(3, 5, figsize=(8, 5.0))
    _row(axes[0], "laboratory A", _cells("lab-a"), CLASSES)
    _row(axes[1], "laboratory B", _cells("lab-b"), [""] * 5)
    _row(axes[2], "one head,\nfive scanners", scans, SITES)
    return figure


def _cells(laboratory: str) -> list[np.ndarray]:
    cells = [smear.one_cell(laboratory, name, seed=11, patient=9) for name in CLASSES]
    return [cell.images[0] for cell in cells]


def _row(axes, name: str, images, titles) -> None:
    axes[0].set_ylabel(name)
    for ax, image, title in zip(axes, images, titles):
        ax.imshow(image)
        ax.set(xticks=[], yticks=[])
        ax.set_title(title, loc="center")
        ax.spines[:].set_visible(False)


# ---- the findings --------------------------------------------------------------------------------


class Dot(NamedTuple):
    """A score, its interval, and the colour that says what was scored."""

    value: float
    low: float
    high: float
    colour: object


def findings() -> Figure:
    """Few labels, cells elsewhere, tissues at another scanner, outlines of cells elsewhere."""
    figure, axes = plt.subplots(2, 2, figsize=(10, 6.2))
    _dots(axes[0, 0], _recipes(), "20 labelled real cells per class", "macro-F1")
    score = "accuracy (simulated) or macro-F1 (real)"
    _dots(axes[0, 1], _classes_elsewhere(), "kinds of cells in another laboratory", score)
    _dots(axes[1, 0], _tissues(), "tissues at another scanner, simulated", "mean Dice")
    _dots(axes[1, 1], _outlines(), "outlines in another laboratory", "mean Dice")
    for colour, name in MEANING.items():
        axes[0, 0].plot([], [], MARKERS[colour], color=colour, label=name)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _recipes() -> dict[str, list[Dot]]:
    """Macro-F1 of the recipes of transfer_summary on real cells."""
    table = results.read("transfer_summary", dtype={"labels": str})
    rows = table[(table.data == "wbc") & (table.labels == "20")].set_index("method")
    colours = {
        "large head": OTHER,
        "scratch": OTHER,
        "tuned probe": OTHER,
        "tuned probe, ViT": OTHER,
        "staged fine-tuning": OURS,
    }
    return {name: [_dot_of(rows.loc[name], colour, "macro_f1")] for name, colour in colours.items()}


def _classes_elsewhere() -> dict[str, list[Dot]]:
    """Source only, our choice and the oracle; for real cells the simulator's help as well."""
    adapted = results.read("adaptation_summary").set_index(["pair", "choice"])
    helped = results.read("sim_to_real_summary").set_index(["task", "pair", "choice"])
    rows = {
        "simulated": ("smear", None),
        "real, A to B": ("wbc a>b", ("cells", "both>wbc b", "committed")),
        "real, B to A": ("wbc b>a", ("cells", "both>wbc a", "committed")),
        "two kinds, A to B": ("wbc granules a>b", ("granules", "both>wbc b", "committed")),
        "two kinds, B to A": ("wbc granules b>a", ("granules", "both>wbc a", "committed")),
    }
    colours = {"source only": OTHER, "chosen by consensus": OURS, "oracle": ORACLE}
    dots = {}
    for title, (pair, with_simulator) in rows.items():
        dots[title] = [
            _dot_of(adapted.loc[(pair, choice)], colour) for choice, colour in colours.items()
        ]
        if with_simulator:
            row = helped.loc[with_simulator]
            dots[title].append(_dot_of(row, WITH_SIMULATOR, "macro_f1"))
    return dots


def _tissues() -> dict[str, list[Dot]]:
    """Mean Dice over all seeds of adaptation_dense."""
    dice = results.read("adaptation_dense").groupby(["target", "method"])["dice_per_image"]
    colours = {"source only": OTHER, "painted in found greys": OURS, "oracle": ORACLE}
    dots: dict[str, list[Dot]] = {}
    for target in ("1.5T-T1w", "3T-T2w"):
        means = [_mean_over_subjects(dice.get_group((target, method))) for method in colours]
        dots[target] = [Dot(*mean, colour) for mean, colour in zip(means, colours.values())]
    return dots


def _mean_over_subjects(dice: pd.Series) -> metrics.Interval:
    """The mean over test images of all seeds, held in thousandths, four slices of each subject."""
    values = np.array(" ".join(dice).split(), float) / 1000
    return metrics.mean_score(values, np.arange(len(values)) // 4)


def _outlines() -> dict[str, list[Dot]]:
    """Mean Dice of sim_to_real_summary; the simulator helps on real cells only."""
    table = results.read("sim_to_real_summary").set_index(["task", "pair", "choice"])
    rows = table.loc["segmentation"]
    colours = {
        "source only": OTHER,
        "committed without simulator": OURS,
        "committed by certainty": WITH_SIMULATOR,
        "oracle": ORACLE,
    }
    dots = {}
    for data, name in (("smear", "simulated"), ("wbc", "real")):
        for pair, direction in (("a>b", "A to B"), ("b>a", "B to A")):
            dots[f"{name}, {direction}"] = [
                _dot_of(rows.loc[(f"{data} {pair}", choice)], colour)
                for choice, colour in colours.items()
                if data == "wbc" or colour != WITH_SIMULATOR
            ]
    return dots


def _dot_of(row: pd.Series, colour, score: str = "score") -> Dot:
    return Dot(row[score], row[f"{score}_low"], row[f"{score}_high"], colour)


def _dots(ax: Axes, rows: dict[str, list[Dot]], title: str, label: str) -> None:
    """A row for each name, its scores as dots and bars."""
    for position, dots in enumerate(rows.values()):
        for value, low, high, colour in dots:
            dot(ax, position, value, low, high, colour, size=8, marker=MARKERS[colour])
    ax.set(yticks=range(len(rows)), yticklabels=rows, xlabel=label, ylim=(len(rows) - 0.5, -0.5))
    ax.set_title(title, fontweight="bold")
    ax.tick_params(axis="y", left=False)
    ax.grid(axis="x", alpha=0.3)


def main() -> None:
    """Write the pictures with few colours."""
    (HERE / "pictures").mkdir(exist_ok=True)
    for draw in (first_look, findings):
        buffer = io.BytesIO()
        draw().savefig(buffer, dpi=110)
        image = Image.open(buffer).convert("RGB").quantize(256)
        image.save(HERE / "pictures" / f"{draw.__name__}.png", optimize=True)


if __name__ == "__main__":
    with matplotlib.rc_context(fname=HERE.parent / "notebooks" / "matplotlibrc"):
        main()
