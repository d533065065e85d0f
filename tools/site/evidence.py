"""The page "What we know and how well": every number on it is read from a committed table.

    python -m tools.site.evidence

writes docs/evidence.md anew; a test compares the page with the tables. A new claim is a new
`Claim` in the list of its section.
"""

from dataclasses import dataclass
from pathlib import Path

from medlearn import _files, metrics
from tools import lessons
from tools.site import copies, tables

WHERE = Path("docs", "evidence.md")
EXPLORATORY, CONFIRMATORY = "exploratory", "confirmatory"
BY_IMAGE = "patients unknown, so by image"
BY_GROUP = "patients unknown, so by group of tiles"


@dataclass(frozen=True)
class Claim:
    """A sentence and the row that holds its number.

    Attributes
    ----------
    sentence : str
        What is claimed; the number follows it.
    table : str
        The committed table.
    row : dict of str to str
        What the row holds in some columns, so that it is the only one.
    column : str
        The number's column; its interval is in the columns that end in ``_low`` and ``_high``.
    limits : str
        What a reader must know beside the interval.
    status : str
        `EXPLORATORY`, or `CONFIRMATORY` if the rule was committed before the labels were opened,
        once.
    count : str
        The column that says how many seeds, or pairs of domains, the number rests on.
    """

    sentence: str
    table: str
    row: dict[str, str]
    column: str
    limits: str = ""
    status: str = EXPLORATORY
    count: str = "seeds"


def _arena(choice: str, column: str, sentence: str) -> Claim:
    row = {"half": "test", "group": "all", "choice": choice}
    limits = "simulated; intervals over pairs, one seed each"
    return Claim(sentence, "arena_summary", row, column, limits, CONFIRMATORY, "pairs")


def _duel(difference: str, design: str, sentence: str) -> Claim:
    row = {"half": "test", "difference": difference, "design": design}
    limits = "simulated; intervals over pairs; wrong answers are in the table"
    return Claim(sentence, "duels_summary", row, "within_40", limits, CONFIRMATORY, "pairs")


def _sealed(column: str, choice: str, sentence: str) -> Claim:
    limits = "simulated; intervals over laboratories"
    row = {"choice": choice}
    return Claim(sentence, "challenge_summary", row, column, limits, CONFIRMATORY, "laboratories")


def _few_labels(labels: str, method: str, sentence: str) -> Claim:
    row = {"data": "wbc", "labels": labels, "method": method}
    return Claim(f"{labels} labels: {sentence}", "transfer_summary", row, "minus_probe", BY_IMAGE)


def _foundation(sentence: str, method: str, column: str) -> Claim:
    row = {"data": "wbc", "labels": "20", "method": method}
    limits = f"{BY_IMAGE}; equal views, 9 to 19 CPU-seconds of training, 70 px"
    return Claim(sentence, "foundation_summary", row, column, limits)


def _share(pair: str, sentence: str, limits: str) -> Claim:
    row = {"pair": pair, "choice": "chosen by consensus"}
    return Claim(sentence, "adaptation_summary", row, "share", f"transductive; {limits}")


def _own_share(pair: str, sentence: str) -> Claim:
    row = {"pair": pair, "choice": "chosen by consensus"}
    return Claim(sentence, "adaptation_summary", row, "own_share", f"transductive; {BY_IMAGE}")


def _nuclei(pair: str, choice: str, sentence: str, limits: str = "") -> Claim:
    limits = f"{BY_GROUP}{limits and '; '}{limits}"
    return Claim(sentence, "nuclei_summary", {"pair": pair, "choice": choice}, "gain", limits)


def _with_simulator(task: str, target: str, sentence: str) -> Claim:
    row = {"task": task, "pair": f"both>{target}", "choice": "committed"}
    limits = f"{BY_IMAGE}; the oracle is a probe on plain frames, so 1 is no upper end"
    return Claim(sentence, "sim_to_real_summary", row, "share", limits)


def _below_oracle(pair: str, sentence: str, limits: str) -> Claim:
    row = {"task": "segmentation", "pair": pair, "choice": "committed by certainty"}
    return Claim(sentence, "sim_to_real_summary", row, "below_oracle", limits)


RIVALS = {  # of the tuned probe, in transfer_summary
    "staged fine-tuning": "fine-tuning in stages",
    "large head": "large head on the same frozen features",
    "scratch": "small network from scratch",
    "tuned probe, ViT": "tuned probe on a vision transformer",
}
TO_STAINED, FROM_STAINED = "fluorescence>stained", "stained>fluorescence"
CEILING = "known only with the masks"
FEWER_STEPS = f"{BY_IMAGE}; the oracle had a quarter of the steps"

SECTIONS = {
    "Few labels: macro-F1 minus that of a tuned linear probe on the same labelled images, by "
    "labels per class, real cells": [
        _few_labels(labels, method, sentence)
        for labels in ("2", "5", "20")
        for method, sentence in RIVALS.items()
    ],
    "A vision transformer (DINOv2 ViT-S/14), 20 labels per class, real cells: differences in "
    "macro-F1": [
        _foundation("probe minus a probe on Lite0, at home", "probe ViT", "minus_lite0"),
        _foundation("the same, in the other laboratory", "probe ViT", "minus_lite0_away"),
        _foundation("Lite0 fine-tuned minus its probe, at home", "Lite0 fine-tuned", "minus_probe"),
        _foundation("the same, in the other laboratory", "Lite0 fine-tuned", "minus_probe_away"),
        _foundation("LoRA minus its probe, at home", "LoRA", "minus_probe"),
        _foundation("the same, in the other laboratory", "LoRA", "minus_probe_away"),
        _foundation("last block tuned minus its probe, at home", "last block", "minus_probe"),
        _foundation("the same, in the other laboratory", "last block", "minus_probe_away"),
        _foundation("all weights tuned minus its probe, at home", "full", "minus_probe"),
        _foundation("the same, in the other laboratory", "full", "minus_probe_away"),
    ],
    "Another laboratory, no labels from there: share of the gap to the oracle that the choice by "
    "consensus closes": [
        _share("smear", "simulated cells", "by patient"),
        _share("smear stain", "simulated cells, stain only", "by patient"),
        _share("wbc a>b", "real cells, a to b", BY_IMAGE),
        _share("wbc b>a", "real cells, b to a", BY_IMAGE),
        _share("wbc granules a>b", "real cells in two classes, a to b", BY_IMAGE),
        _share("wbc granules b>a", "real cells in two classes, b to a", BY_IMAGE),
    ],
    "The same, to an oracle on the images and BatchNorm statistics of the chosen candidate": [
        _own_share("wbc a>b", "real cells, a to b"),
        _own_share("wbc b>a", "real cells, b to a"),
        _own_share("wbc granules a>b", "real cells in two classes, a to b"),
        _own_share("wbc granules b>a", "real cells in two classes, b to a"),
    ],
    "A simulator as second teacher: share of the gap to the oracle on plain images": [
        _with_simulator("cells", "wbc b", "real cells, a to b"),
        _with_simulator("cells", "wbc a", "real cells, b to a"),
    ],
    "Outlines by a segmenter that saw simulated cells only: mean Dice below a segmenter of the "
    "real laboratory": [
        _below_oracle("virtual>wbc a", "real laboratory a", FEWER_STEPS),
        _below_oracle("virtual>wbc b", "real laboratory b", FEWER_STEPS),
    ],
    "Outlines of nuclei, another kind of microscopy: mean Dice minus source only": [
        _nuclei(TO_STAINED, "committed by certainty", "fluorescence to stained, by certainty"),
        _nuclei(TO_STAINED, "chosen by amounts", "fluorescence to stained, by amounts"),
        _nuclei(TO_STAINED, "best candidate", "fluorescence to stained, best candidate", CEILING),
        _nuclei(TO_STAINED, "oracle", "fluorescence to stained, oracle", "with masks"),
        _nuclei(FROM_STAINED, "committed by certainty", "stained to fluorescence, by certainty"),
        _nuclei(FROM_STAINED, "chosen by amounts", "stained to fluorescence, by amounts"),
        _nuclei(FROM_STAINED, "best candidate", "stained to fluorescence, best candidate", CEILING),
        _nuclei(FROM_STAINED, "oracle", "stained to fluorescence, oracle", "with masks"),
    ],
    # The arena: choices without labels over many pairs, `selection.choose`.
    "A choice without labels, over many simulated pairs: balanced accuracy minus source only, and "
    "the share of pairs in which it is more than two points below": [
        _arena("choose", "gain", "`selection.choose`: gain"),
        _arena("choose", "harm", "`selection.choose`: share of pairs harmed"),
        _arena("consensus", "gain", "highest consensus: gain"),
        _arena("consensus", "harm", "highest consensus: share of pairs harmed"),
        _arena("information", "gain", "highest information: gain"),
        _arena("information", "harm", "highest information: share of pairs harmed"),
    ],
    "Sealed laboratories, drawn after the rule was fixed: balanced accuracy": [
        _sealed("score", "source only", "source only"),
        _sealed("score", "course", "the course's own choice"),
        _sealed("gain", "course", "the course's own choice minus source only"),
        _sealed(
            "gain",
            "best candidate",
            "best candidate, known only with the labels, minus source only",
        ),
    ],
    # Duels: how many labels tell two models apart, `selection.duel`.
    "A few labels where two models disagree: share of duels decided within 40 labels": [
        _duel("all", "duel", "`selection.duel`, all adapted models"),
        _duel("10 points or more", "duel", "`selection.duel`, models that differ by ten points"),
        _duel("10 points or more", "labels at random", "as many labels at random, same models"),
    ],
}

ON_REAL_CELLS = {  # columns of arena_real
    "`selection.choose`": "gain",
    "highest consensus": "consensus",
    "highest information": "information",
    "highest certainty": "certainty",
    "highest source validation": "source_validation",
    "the candidate that `selection.choose` ranks first, without abstaining": "proposed_gain",
}

HEAD = """\
# What we know and how well

Unless a section says otherwise, each number is read from a committed table, with its 95 % \
interval. `python -m tools.site.evidence` writes this page; a test compares it with the tables.

- **Exploratory**: methods or rules were changed while this data set was in view. All of `wbc` is \
exploratory.
- **Confirmatory**: the rule was committed first, and the labels were opened once.
- **Transductive**: a method adapted to the same unlabelled images that it was scored on.
- Intervals resample patients, or pairs of domains where "pairs" are counted. Where a score is \
the mean over several seeds they resample seeds and patients together; of one seed \
they cannot hold the spread of seeds. "By image" means that nobody knows the \
patients, so the interval may be too narrow.

"""
UNSEEN = """\
## Real pairs that the project had never seen

The choices without labels were tried once on five such pairs. These numbers were reported to the \
project and are in no table of it; they have no interval.

| pair | source only | chosen without labels (range) | best candidate | oracle |
|---|---|---|---|---|
| tumour in MR, one collection to another (AUROC) | .67 | .43 to .64 | .70 | .78 |
| the same, the other way (AUROC) | .71 | .44 to .77 | .93 | 1.00 |
| pneumonia in X-rays, children to adults (AUROC) | .35 | .31 to .37 | .42 | .88 |
| vessels of the retina, one camera to another (F1) | .71 | .54 to .71 | .71 | .76 |
| outlines of nuclei, fluorescence to stained (Dice) | .08 | .00 to .75 | .75 | .85 |

On the tumour pairs eleven of twelve choices fell below source only. A choice without labels is a \
proposal, not evidence.
"""
NOT_YET = "Nothing is claimed yet.\n"


def text() -> str:
    """Return the page as Markdown.

    Raises
    ------
    LookupError
        If a table does not have exactly one row of a claim.
    """
    parts = [HEAD]
    for title, claims in SECTIONS.items():
        parts.append(f"## {title}\n\n{_table(claims) if claims else NOT_YET}\n")
    return "".join([*parts, _on_real_cells(), "\n", UNSEEN, "\n", _intervals()])


def write(source: Path) -> None:
    """Write the page for the site, whose links lead to the site's tables.

    Parameters
    ----------
    source : Path
        Sphinx's folder.
    """
    page = copies.table_links(text())
    (source / "evidence.md").write_text(page, encoding="utf-8")


def _table(claims: list[Claim]) -> str:
    lines = [
        "| claim | value [interval] | of | status | limits | table |",
        "|---|---|---|---|---|---|",
    ]
    for claim in claims:
        record = _record(claim)
        ends = [float(record[f"{claim.column}{end}"]) for end in ("", "_low", "_high")]
        cells = (
            claim.sentence,
            str(metrics.Interval(*ends)),
            _counted(record[claim.count], claim.count),
            claim.status,
            claim.limits,
            f"[{claim.table}](../benchmarks/results/{claim.table}.csv)",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _counted(number: str, name: str) -> str:
    return f"{number} {name[:-1] if number == '1' else name}"


def _record(claim: Claim) -> dict[str, str]:
    matches = [
        record for record in tables.records(claim.table) if claim.row.items() <= record.items()
    ]
    if len(matches) != 1:
        raise LookupError(f"{claim.table} has {len(matches)} rows of {claim.row}, not one.")
    return matches[0]


def _on_real_cells() -> str:
    """What choices without labels did on real cells."""
    records = tables.records("arena_real")
    lines = [
        "## The same choices on real cells\n",
        f"{len(records)} runs of [arena_real](../benchmarks/results/arena_real.csv): two "
        "laboratories, both ways, two tasks, five seeds, by image. Exploratory, and without "
        "intervals, because the runs share their cells. Harm is more than .02 below source only.\n",
        "| choice | mean gain | runs with harm |",
        "|---|---|---|",
    ]
    for sentence, column in ON_REAL_CELLS.items():
        gains = [float(record[column]) for record in records]
        harmed = sum(gain < -0.02 for gain in gains)
        lines.append(f"| {sentence} | {_signed(gains)} | {harmed} |")
    best = [float(record["best_gain"]) for record in records]
    lines.append(
        "\nKeeping source only always gains 0 and harms in no run: on these cells "
        "`selection.choose` shows no advantage over it. The best candidate, known only "
        f"afterwards, gains {_signed(best)}."
    )
    return "\n".join(lines) + "\n"


def _signed(gains: list[float]) -> str:
    return f"{sum(gains) / len(gains):+.3f}".replace("0.", ".", 1)


def _intervals() -> str:
    """How often intervals hold the truth."""
    records = [row for row in tables.records("interval_coverage") if int(row["patients"]) >= 20]
    lines = [
        "## How often a 95 % interval holds the truth, simulated\n",
        "From 20 patients on, 4 to 10 images of each, true values of .5, .9 and .98; lowest and "
        "highest share over the rows of "
        "[interval_coverage](../benchmarks/results/interval_coverage.csv). Of 400 studies a share "
        "of .95 has a standard error of .011.\n",
        "| score | percentile bootstrap, until now | now | rows from .93 to .97 now |",
        "|---|---|---|---|",
    ]
    for score in dict.fromkeys(row["score"] for row in records):
        rows = [row for row in records if row["score"] == score]
        now = [float(row["coverage"]) for row in rows]
        before = [float(row["percentile_coverage"]) for row in rows]
        within = sum(0.93 <= share <= 0.97 for share in now)
        cells = (score, _range(before), _range(now), f"{within} of {len(rows)}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _range(shares: list[float]) -> str:
    return f"{min(shares):.2f} to {max(shares):.2f}".replace("0.", ".")


if __name__ == "__main__":
    _files.write_text(lessons.ROOT / WHERE, text())
