"""The page "What we know and how well": every number on it is read from a committed table.

    python -m tools.site.evidence

writes docs/evidence.md anew; a test compares the page with the tables. The claims stand in
`tools.claims`.
"""

from pathlib import Path

from medlearn import _files, metrics
from medlearn.teaching.language import say
from tools import lessons
from tools.claims import ON_REAL_CELLS, SECTIONS, Claim
from tools.site import copies, tables

WHERE = Path("docs", "evidence.md")
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
REAL_RUNS = """\
{runs} runs of [arena_real](../benchmarks/results/arena_real.csv): two laboratories, both ways, \
two tasks, five seeds, by image. Exploratory, and without intervals, because the runs share \
their cells. Harm is more than .02 below source only.
"""
KEEPING = """
Keeping source only always gains 0 and harms in no run: on these cells `selection.choose` shows no \
advantage over it. The best candidate, known only afterwards, gains {gain}."""
INTERVALS = """\
## How often a 95 % interval holds the truth, simulated

From 20 patients on, 4 to 10 images of each, true values of .5, .9 and .98; lowest and highest \
share over the rows of [interval_coverage](../benchmarks/results/interval_coverage.csv). Of 400 \
studies a share of .95 has a standard error of .011.
"""
NOT_YET = "Nothing is claimed yet.\n"


def text() -> str:
    """Return the page as Markdown.

    Raises
    ------
    LookupError
        If a table does not have exactly one row of a claim.
    """
    parts = [say(HEAD)]
    for title, claims in SECTIONS.items():
        parts.append(f"## {say(title)}\n\n{_table(claims) if claims else say(NOT_YET)}\n")
    return "".join([*parts, _on_real_cells(), "\n", say(UNSEEN), "\n", _intervals()])


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
        say("| claim | value [interval] | of | status | limits | table |"),
        "|---|---|---|---|---|---|",
    ]
    for claim in claims:
        record = _record(claim)
        ends = [float(record[f"{claim.column}{end}"]) for end in ("", "_low", "_high")]
        cells = (
            say(claim.sentence),
            str(metrics.Interval(*ends)),
            _counted(record[claim.count], claim.count),
            say(claim.status),
            "; ".join(map(say, claim.limits)),
            f"[{claim.table}](../benchmarks/results/{claim.table}.csv)",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _counted(number: str, name: str) -> str:
    said = say(name)
    is_singular = number == "1" and said == name
    return f"{number} {said[:-1] if is_singular else said}"


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
        say("## The same choices on real cells\n"),
        say(REAL_RUNS, runs=len(records)),
        say("| choice | mean gain | runs with harm |"),
        "|---|---|---|",
    ]
    for sentence, column in ON_REAL_CELLS.items():
        gains = [float(record[column]) for record in records]
        harmed = sum(gain < -0.02 for gain in gains)
        lines.append(f"| {say(sentence)} | {_signed(gains)} | {harmed} |")
    best = [float(record["best_gain"]) for record in records]
    lines.append(say(KEEPING, gain=_signed(best)))
    return "\n".join(lines) + "\n"


def _signed(gains: list[float]) -> str:
    return f"{sum(gains) / len(gains):+.3f}".replace("0.", ".", 1)


def _intervals() -> str:
    """How often intervals hold the truth."""
    records = [row for row in tables.records("interval_coverage") if int(row["patients"]) >= 20]
    lines = [
        say(INTERVALS),
        say("| score | percentile bootstrap, until now | now | rows from .93 to .97 now |"),
        "|---|---|---|---|",
    ]
    for score in dict.fromkeys(row["score"] for row in records):
        rows = [row for row in records if row["score"] == score]
        coverage = [float(row["coverage"]) for row in rows]
        percentile_coverage = [float(row["percentile_coverage"]) for row in rows]
        close = sum(0.93 <= share <= 0.97 for share in coverage)
        cells = (
            score,
            _range(percentile_coverage),
            _range(coverage),
            say("{within} of {rows}", within=close, rows=len(rows)),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _range(shares: list[float]) -> str:
    ends = {"low": f"{min(shares):.2f}", "high": f"{max(shares):.2f}"}
    return say("{low} to {high}", **ends).replace("0.", ".")


if __name__ == "__main__":
    _files.write_text(lessons.ROOT / WHERE, text())
