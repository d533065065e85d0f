"""A one-page model card for clinicians: one HTML file with nothing to load, every text escaped.

    card = report.ModelCard(name="...", purpose="...", ...)
    report.save(card, "card.html")             # a notebook shows a card as the last line of a cell

After Mitchell et al., Model cards for model reporting, FAT* 2019, and the reporting items of
TRIPOD+AI (Collins et al., BMJ 385:e078378, 2024).
"""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from medlearn import _files
from medlearn.metrics import Interval, SubgroupScore

NOT_FOR_CLINICAL_USE = (
    "Not for clinical use. Made in a course, "
    "tested on the data described below and on nothing else."
)
_STYLE = """
.model-card { max-width: 46rem; margin: 1rem auto; padding: 0 1rem;
  font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; background: #fff }
.model-card h1 { font-size: 1.5rem; margin: .5rem 0 }
.model-card h2 { font-size: 1.05rem; margin: 1.1rem 0 .3rem }
.model-card p, .model-card ul { margin: .3rem 0 }
.model-card figure { margin: .5rem 0 }
.model-card img { max-width: min(100%, 22rem) }
.model-card .warning { border: 2px solid #b45309; padding: .4rem .7rem; font-weight: 600 }
.model-card table { border-collapse: collapse }
.model-card th, .model-card td { padding: .25rem .8rem .25rem 0; text-align: left;
  border-bottom: 1px solid #ccc }
@media print {
  .model-card { font-size: 12px; margin: 0 }
  .model-card img { max-width: 16rem }
}
""".strip()
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_SENTENCES = ("name", "purpose", "data", "tested", "decision")


@dataclass(frozen=True, eq=False)
class ModelCard:
    """What a reader must know before trusting a model.

    Parameters
    ----------
    name : str
        The model's name. This and all other texts are plain text, not HTML.
    purpose : str
        The question it answers, and for whom.
    data : str
        Where the training images come from, and their licence.
    tested : str
        Who was tested: patients, images, how many of each class, and how they were kept apart from
        training.
    decision : str
        The threshold, how it was chosen, and what it costs to be wrong.
    numbers : mapping of str to Interval
        At least one score with its 95 % interval, such as `metrics.interval` returns.
    limits : sequence of str
        What the model cannot do or nobody has tried: at least one sentence.
    simulated : bool
        Whether the tested images are simulated; the card says so at the top.
    figures : mapping of str to matplotlib.figure.Figure
        Figures by caption, such as a reliability curve.
    users : str
        Who may use the model, and for which decisions; empty leaves the section out, as below.
    subgroups : mapping of str to (mapping of str to SubgroupScore)
        For each measure, the score of each subgroup, such as `metrics.per_subgroup` returns.
    change : str
        What would change our mind: which result would end the use of the model, or widen it.

    Raises
    ------
    ValueError
        For an empty text, no numbers, a number without an interval or with NaN, and no limits.
    """

    name: str
    purpose: str
    data: str
    tested: str
    decision: str
    numbers: Mapping[str, Interval]
    limits: Sequence[str]
    simulated: bool
    figures: Mapping[str, Figure] = field(default_factory=dict)
    users: str = ""
    subgroups: Mapping[str, Mapping[str, SubgroupScore]] = field(default_factory=dict)
    change: str = ""

    def __post_init__(self) -> None:
        for item in _SENTENCES:
            text = getattr(self, item)
            if not isinstance(text, str) or not text.strip():
                raise ValueError(f"A model card needs a sentence of {item}, not {text!r}.")
        _check_limits(self.limits)
        _check_numbers(self.numbers)

    def _repr_html_(self) -> str:
        return f"<style>{_STYLE}</style>\n{_article(self)}"


def page(card: ModelCard) -> str:
    """Return the card as a whole HTML page that loads nothing, runs no script and fits a sheet."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(card.name)}</title>\n"
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{_article(card)}\n</body>\n</html>\n"
    )


def save(card: ModelCard, path: str | Path) -> Path:
    """Write the card as an HTML page.

    Parameters
    ----------
    card : ModelCard
        The card.
    path : str or Path
        The file, such as ``"card.html"``.

    Returns
    -------
    Path
        The file that was written, in UTF-8.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path = Path(path).expanduser()
    _files.write_text(path, page(card))
    return path


def _check_limits(limits: Sequence[str]) -> None:
    is_list = not isinstance(limits, str) and len(limits) > 0
    if not is_list or not all(str(limit).strip() for limit in limits):
        raise ValueError(
            "A model card needs limits, a list of at least one sentence: every model has some."
        )


def _check_numbers(numbers: Mapping[str, Interval]) -> None:
    if not numbers:
        raise ValueError("A model card needs numbers, a dict of name -> metrics.interval(...).")
    for name, number in numbers.items():
        if np.shape(number) != (3,) or not np.isfinite(number).all():
            raise ValueError(
                f"{name} needs a value with its interval, such as metrics.interval gives, "
                f"not {number!r}."
            )


def _article(card: ModelCard) -> str:
    simulated = " All images were simulated: no patient was involved." if card.simulated else ""
    limits = "".join(f"<li>{escape(str(limit))}</li>" for limit in card.limits)
    parts = [
        f"<h1>{escape(card.name)}</h1>",
        f'<p class="warning">{NOT_FOR_CLINICAL_USE}{simulated}</p>',
        _section("What it is for", card.purpose),
        *_optional("Who may use it", card.users),
        _section("What it learned from", card.data),
        _section("Who was tested", card.tested),
        f"<h2>How well it did</h2>\n{_table(card.numbers)}",
        *(_subgroup_table(measure, scores) for measure, scores in card.subgroups.items()),
        _section("How its answer is used", card.decision),
        *(_figure(caption, figure) for caption, figure in card.figures.items()),
        f"<h2>What it cannot do</h2>\n<ul>{limits}</ul>",
        *_optional("What would change our mind", card.change),
    ]
    return '<article class="model-card">\n' + "\n".join(parts) + "\n</article>"


def _section(title: str, text: str) -> str:
    return f"<h2>{title}</h2>\n<p>{escape(text)}</p>"


def _optional(title: str, text: str) -> list[str]:
    return [_section(title, text)] if text.strip() else []


def _table(numbers: Mapping[str, Interval]) -> str:
    cells = {}
    for name, (value, low, high) in numbers.items():
        rests_on = getattr(numbers[name], "rests_on", "")
        cells[name] = (f"{value:.2f}", f"{low:.2f} to {high:.2f}", rests_on or "not said")
    notes = (
        "Tested on other patients of the same kind, a value may well lie anywhere in its interval."
    )
    if any("image" in rests_on for *_, rests_on in cells.values()):
        notes += (
            " Where a number rests on images, each image was taken for a patient of its own: if "
            "patients have several images, the interval is too narrow."
        )
    return f"{_rows('Measure', cells)}\n<p>{notes}</p>"


def _subgroup_table(measure: str, scores: Mapping[str, SubgroupScore]) -> str:
    cells = {}
    for name, score in scores.items():
        if score.interval is None:
            cells[name] = ("too few to say", "", score.rests_on)
        else:
            value, low, high = score.interval
            cells[name] = (f"{value:.2f}", f"{low:.2f} to {high:.2f}", score.rests_on)
    return f"<h2>For whom: {escape(str(measure))}</h2>\n" + _rows("Subgroup", cells)


def _rows(first_column: str, cells: Mapping[str, Sequence[str]]) -> str:
    """A table of name, value, interval, and what these rest on."""
    rows = []
    for name, row in cells.items():
        texts = "".join(f"<td>{escape(text)}</td>" for text in row)
        rows.append(f"<tr><td>{escape(str(name))}</td>{texts}</tr>\n")
    heads = (first_column, "Value", "95 % interval", "Rests on")
    head = "".join(f"<th>{text}</th>" for text in heads)
    body = "".join(rows)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>"


def _figure(caption: str, figure: Figure) -> str:
    memory = io.BytesIO()
    # Without the name of the software the bytes are the same at every version.
    figure.savefig(memory, format="png", dpi=96, metadata={"Software": None})
    data, text = base64.b64encode(memory.getvalue()).decode(), escape(str(caption))
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{text}">'
        f"<figcaption>{text}</figcaption></figure>"
    )
