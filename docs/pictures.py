"""Draw the README's pictures anew: `python docs/pictures.py` (simulated images, and numbers of benchmarks/results)."""

import io
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image

from medlearn import _files, metrics, plots
from medlearn.instruments import mri, smear
from medlearn.plots._style import dot

HERE = Path(__file__).parent
KINDS = ("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")
SITES = ("3T-T1w", "3T-T2w", "3T-FLAIR", "1.5T-FLAIR", "PD")
SOURCE, CHOSEN, HELPED, ORACLE = "0.6", plots.COLOURS[1], plots.COLOURS[2], plots.COLOURS[0]


def first_look():
    """The same five cells at two laboratories, and the same slice of one head at five scanners."""
    slice_ = mri.prepare("tumour", seed=3, size=160)
    rows = {
        "laboratory A": [
            smear.one_cell("lab-a", kind, seed=11, patient=9).images[0] for kind in KINDS
        ],
        "laboratory B": [
            smear.one_cell("lab-b", kind, seed=11, patient=9).images[0] for kind in KINDS
        ],
        "one head,\nfive scanners": [mri.scan(slice_, site) for site in SITES],
    }
    figure, axes = plt.subplots(3, 5, figsize=(8, 5.0))
    for row, (name, pictures) in zip(axes, rows.items()):
        row[0].set_ylabel(name)
        for ax, picture, title in zip(
            row, pictures, SITES if "head" in name else KINDS if name.endswith("A") else [""] * 5
        ):
            ax.imshow(picture)
            ax.set(xticks=[], yticks=[])
            ax.set_title(title, loc="center")
            ax.spines[:].set_visible(False)
    return figure


def findings():
    """Four of the benchmark tables: few labels, kinds of cells in another laboratory, tissues at another scanner, outlines of cells."""
    figure, axes = plt.subplots(2, 2, figsize=(10, 6.2))
    recipes = (
        _table("transfer_summary").query("data == 'wbc' and labels == '20'").set_index("method")
    )
    _dots(
        axes[0, 0],
        {
            name: [(*recipes.loc[name, ["macro_f1", "macro_f1_low", "macro_f1_high"]], colour)]
            for name, colour in (
                ("linear probe", SOURCE),
                ("classic recipe", SOURCE),
                ("scratch", SOURCE),
                ("tuned probe on views", SOURCE),
                ("staged fine-tuning", CHOSEN),
            )
        },
        "20 labelled real cells per class",
        "macro-F1",
    )
    shifts, helped = (
        _table(name).set_index(["pair", "choice"])
        for name in ("adaptation_summary", "sim_to_real_summary")
    )
    kinds = {}
    for title, pair, both in (
        ("simulated", "smear", None),
        ("real, A to B", "wbc a>b", ("cells", "both>wbc b")),
        ("real, B to A", "wbc b>a", ("cells", "both>wbc a")),
        ("two kinds, A to B", "wbc granules a>b", ("granules", "both>wbc b")),
        ("two kinds, B to A", "wbc granules b>a", ("granules", "both>wbc a")),
    ):
        kinds[title] = [
            _scores(shifts.loc[(pair, choice)], colour)
            for choice, colour in (
                ("source only", SOURCE),
                ("chosen by consensus", CHOSEN),
                ("oracle", ORACLE),
            )
        ]
        if both:
            task, teachers = both
            kinds[title].append(
                _scores(
                    helped[helped.task == task].loc[(teachers, "committed")], HELPED, "macro_f1"
                )
            )
    _dots(
        axes[0, 1],
        kinds,
        "kinds of cells in another laboratory",
        "accuracy (simulated) or macro-F1 (real)",
    )
    tissues = _table("adaptation_dense").groupby(["target", "method"])["each"]
    _dots(
        axes[1, 0],
        {
            where: [
                (*_over_subjects(tissues.get_group((where, method))), colour)
                for method, colour in (
                    ("source only", SOURCE),
                    ("painted in found greys", CHOSEN),
                    ("oracle", ORACLE),
                )
            ]
            for where in ("1.5T-T1w", "3T-T2w")
        },
        "tissues at another scanner, simulated",
        "mean Dice",
    )
    _dots(
        axes[1, 1],
        {
            f"{kind}, {way.upper().replace('>', ' to ')}": [
                _scores(helped.loc[(f"{data} {way}", choice)], colour)
                for choice, colour in (
                    ("source only", SOURCE),
                    ("committed without simulator", CHOSEN),
                    ("committed by certainty", HELPED),
                    ("oracle", ORACLE),
                )
                if colour != HELPED or data == "wbc"
            ]
            for data, kind in (("smear", "simulated"), ("wbc", "real"))
            for way in ("a>b", "b>a")
        },
        "outlines of cells in another laboratory",
        "mean Dice",
    )
    for colour, name in (
        (SOURCE, "another recipe, or from elsewhere as it is"),
        (CHOSEN, "what the course teaches"),
        (HELPED, "the same, and simulated cells as a second teacher"),
        (ORACLE, "learned on the spot"),
    ):
        axes[0, 0].plot([], [], "o", color=colour, label=name)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _table(name):
    return pd.read_csv(
        _files.folder("results") / f"{name}.csv", comment="#", dtype={"labels": str, "seed": str}
    )


def _scores(row, colour, score="score"):
    return *(float(row[name]) for name in (score, f"{score}_low", f"{score}_high")), colour


def _over_subjects(each):
    """Mean Dice of all seeds' test images, which are held in thousandths, four slices a subject, with an interval over subjects."""
    values = np.array(" ".join(each).split(), float) / 1000
    return metrics.mean_score(values, np.arange(len(values)) // 4)


def _dots(ax, rows, title, label):
    """A row a name, with its (value, low, high, colour) as dots and bars."""
    for place, scores in enumerate(rows.values()):
        for value, low, high, colour in scores:
            dot(ax, place, value, low, high, colour, size=8)
    ax.set(yticks=range(len(rows)), yticklabels=rows, xlabel=label, ylim=(len(rows) - 0.5, -0.5))
    ax.set_title(title, fontweight="bold")
    ax.tick_params(axis="y", left=False)
    ax.grid(axis="x", alpha=0.3)


if __name__ == "__main__":
    with matplotlib.rc_context(fname=HERE.parent / "notebooks" / "matplotlibrc"):
        (HERE / "pictures").mkdir(exist_ok=True)
        for draw in (first_look, findings):
            drawn = io.BytesIO()
            draw().savefig(drawn, dpi=110)
            Image.open(drawn).convert("RGB").quantize(256).save(
                HERE / "pictures" / f"{draw.__name__}.png", optimize=True
            )
