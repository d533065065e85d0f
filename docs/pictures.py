"""Draw the README's pictures anew: `python docs/pictures.py` (simulated images, and numbers of benchmarks/results)."""

import io
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
from PIL import Image

from medlearn import plots, shipped
from medlearn.instruments import mri, smear
from medlearn.plots.style import dot

HERE = Path(__file__).parent
KINDS = ("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")
SITES = ("3T-T1w", "3T-T2w", "3T-FLAIR", "1.5T-FLAIR", "PD")
SOURCE, CHOSEN, ORACLE = "0.6", plots.COLOURS[1], plots.COLOURS[0]


def first_look():
    """The same five cells at two laboratories, and the same slice of one head at five scanners."""
    slice_ = mri.prepare("tumour", seed=3, size=160)
    rows = {
        "laboratory A": [smear.one_cell("lab-a", kind, seed=11, patient=9).images[0] for kind in KINDS],
        "laboratory B": [smear.one_cell("lab-b", kind, seed=11, patient=9).images[0] for kind in KINDS],
        "one head,\nfive scanners": [mri.scan(slice_, site) for site in SITES],
    }
    figure, axes = plt.subplots(3, 5, figsize=(8, 5.0))
    for row, (name, pictures) in zip(axes, rows.items()):
        row[0].set_ylabel(name)
        for ax, picture, title in zip(row, pictures, SITES if "head" in name else KINDS if name.endswith("A") else [""] * 5):
            ax.imshow(picture)
            ax.set(xticks=[], yticks=[])
            ax.set_title(title, loc="center")
            ax.spines[:].set_visible(False)
    return figure


def findings():
    """Four of the benchmark tables: few labels, another laboratory, another scanner, a simulator as the only teacher."""
    figure, axes = plt.subplots(2, 2, figsize=(10, 6.2))
    recipes = _table("transfer_summary").query("data == 'wbc' and labels == '20'").set_index("method")
    _dots(axes[0, 0], {name: [(*recipes.loc[name, ["macro_f1", "macro_f1_low", "macro_f1_high"]], colour)] for name, colour in (
        ("linear probe", SOURCE), ("classic recipe", SOURCE), ("scratch", SOURCE), ("tuned probe on views", SOURCE), ("staged fine-tuning", CHOSEN))},
        "20 labelled real cells a class", "macro-F1")
    shifts = _table("adaptation_summary").set_index(["pair", "choice"])
    pairs = {"smear": "simulated", "wbc a>b": "real, A to B", "wbc b>a": "real, B to A",
             "wbc granules a>b": "two kinds, A to B", "wbc granules b>a": "two kinds, B to A"}
    _dots(axes[0, 1], {title: [_scores(shifts.loc[(pair, choice)], colour) for choice, colour in (
        ("source only", SOURCE), ("chosen by consensus", CHOSEN), ("oracle", ORACLE))] for pair, title in pairs.items()},
        "kinds of cells in another laboratory", "accuracy (simulated) or macro-F1 (real)")
    tissues = _table("adaptation_dense").groupby(["target", "method"])[["tissues", "low", "high"]].mean()      # over seeds
    _dots(axes[1, 0], {where: [(*tissues.loc[(where, method)], colour) for method, colour in (
        ("source only", SOURCE), ("painted in found greys", CHOSEN), ("oracle", ORACLE))] for where in ("1.5T-T1w", "3T-T2w")},
        "tissues at another scanner, simulated", "mean Dice")
    teachers = _table("sim_to_real_summary").set_index(["pair", "choice"])
    _dots(axes[1, 1], {f"real laboratory {lab.upper()}": [_scores(teachers.loc[row], colour) for row, colour in (
        ((f"wbc {other}>{lab}", "source only"), SOURCE), ((f"virtual>wbc {lab}", "source only"), CHOSEN), ((f"wbc {other}>{lab}", "oracle"), ORACLE))]
        for lab, other in ("ab", "ba")}, "real cells' outlines, from a simulator", "mean Dice")
    for colour, name in ((SOURCE, "another recipe, or from elsewhere as it is"), (CHOSEN, "what the course teaches"),
                         (ORACLE, "learned on the spot")):
        axes[0, 0].plot([], [], "o", color=colour, label=name)
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def _table(name):
    return pd.read_csv(shipped.folder("results") / f"{name}.csv", comment="#", dtype={"labels": str, "seed": str})


def _scores(row, colour):
    return float(row["score"]), float(row["score_low"]), float(row["score_high"]), colour


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
            Image.open(drawn).convert("RGB").quantize(256).save(HERE / "pictures" / f"{draw.__name__}.png", optimize=True)
