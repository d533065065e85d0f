"""A one-page model card that a clinician can read: one HTML file with nothing to load, every text escaped.

    card = report.ModelCard(name="...", purpose="...", ...)
    report.save(card, "card.html")             # in a notebook, `card` as a cell's last line shows it

After Mitchell et al., Model cards for model reporting, FAT* 2019, and the reporting items of TRIPOD+AI (Collins et al.,
BMJ 385:e078378, 2024).
"""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from html import escape
from pathlib import Path

import numpy as np

from medlearn.metrics import Interval

NOT_FOR_CLINICAL_USE = "Not for clinical use. Made in a course, tested on the data described below and on nothing else."
_STYLE = """
.model-card { max-width: 46rem; margin: 1rem auto; padding: 0 1rem; font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; background: #fff }
.model-card h1 { font-size: 1.5rem; margin: .5rem 0 } .model-card h2 { font-size: 1.05rem; margin: 1.1rem 0 .3rem }
.model-card p, .model-card ul { margin: .3rem 0 } .model-card figure { margin: .5rem 0 } .model-card img { max-width: min(100%, 22rem) }
.model-card .warning { border: 2px solid #b45309; padding: .4rem .7rem; font-weight: 600 }
.model-card table { border-collapse: collapse } .model-card th, .model-card td { padding: .25rem .8rem .25rem 0; text-align: left; border-bottom: 1px solid #ccc }
@media print { .model-card { font-size: 12px; margin: 0 } .model-card img { max-width: 16rem } }
""".strip()
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@dataclass(frozen=True, eq=False)
class ModelCard:
    """What a reader must know before believing a model; texts are plain text, not HTML.

    purpose   the question it answers, for whom
    data      where the training images come from; their licence
    tested    who was tested: patients, images, how many of each class, how they were kept apart from training
    numbers   name -> Interval with its value and 95 % interval, at least one
    decision  the threshold, how it was chosen, and what it costs to be wrong
    limits    what it cannot do or nobody has tried, at least one sentence
    figures   caption -> matplotlib figure, such as a reliability curve
    simulated whether the tested images are simulated: the card says so at the top

    Raises ValueError for an empty text, no numbers, a number without an interval or with NaN, and no limits.
    """

    name: str
    purpose: str
    data: str
    tested: str
    decision: str
    numbers: Mapping[str, Interval]
    limits: Sequence[str]
    simulated: bool
    figures: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self):
        for item in fields(self)[:5]:
            text = getattr(self, item.name)
            if not isinstance(text, str) or not text.strip():
                raise ValueError(f"A model card needs a sentence of {item.name}, not {text!r}.")
        if (
            isinstance(self.limits, str)
            or not self.limits
            or not all(str(limit).strip() for limit in self.limits)
        ):
            raise ValueError(
                "A model card needs limits, a list of at least one sentence: every model has some."
            )
        if not self.numbers:
            raise ValueError("A model card needs numbers, a dict of name -> metrics.interval(...).")
        for name, number in self.numbers.items():
            if np.shape(number) != (3,) or not np.isfinite(number).all():
                raise ValueError(
                    f"{name} needs a value with its interval, such as metrics.interval gives, not {number!r}."
                )

    def _repr_html_(self) -> str:
        return f"<style>{_STYLE}</style>\n{_article(self)}"


def page(card: ModelCard) -> str:
    """The card as a whole HTML page that loads nothing, runs no script and fits a sheet of paper."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(card.name)}</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{_article(card)}\n</body>\n</html>\n"
    )


def save(card: ModelCard, path: str | Path) -> Path:
    """Write the page to `path`, UTF-8, and return the path; raises OSError if it cannot be written."""
    path = Path(path).expanduser()
    path.write_text(page(card), encoding="utf-8")
    return path


def _article(card: ModelCard) -> str:
    simulated = " All images were simulated: no patient was involved." if card.simulated else ""
    parts = [
        f"<h1>{escape(card.name)}</h1>",
        f'<p class="warning">{NOT_FOR_CLINICAL_USE}{simulated}</p>',
        _section("What it is for", card.purpose),
        _section("What it learned from", card.data),
        _section("Who was tested", card.tested),
        f"<h2>How well it did</h2>\n{_table(card.numbers)}",
        _section("How its answer is used", card.decision),
        *(_figure(caption, figure) for caption, figure in card.figures.items()),
        "<h2>What it cannot do</h2>\n<ul>"
        + "".join(f"<li>{escape(str(limit))}</li>" for limit in card.limits)
        + "</ul>",
    ]
    return '<article class="model-card">\n' + "\n".join(parts) + "\n</article>"


def _section(title: str, text: str) -> str:
    return f"<h2>{title}</h2>\n<p>{escape(text)}</p>"


def _table(numbers: Mapping[str, Interval]) -> str:
    rows = "".join(
        f"<tr><td>{escape(str(name))}</td><td>{value:.2f}</td><td>{low:.2f} to {high:.2f}</td></tr>\n"
        for name, (value, low, high) in numbers.items()
    )
    return (
        "<table>\n<thead><tr><th>Measure</th><th>Value</th><th>95 % interval</th></tr></thead>\n"
        f"<tbody>\n{rows}</tbody>\n</table>\n<p>Tested on other patients of the same kind, a value may well lie anywhere in its interval.</p>"
    )


def _figure(caption: str, figure) -> str:
    memory = io.BytesIO()
    figure.savefig(
        memory, format="png", dpi=96, metadata={"Software": None}
    )  # the same bytes at every version
    data, text = base64.b64encode(memory.getvalue()).decode(), escape(str(caption))
    return f'<figure><img src="data:image/png;base64,{data}" alt="{text}"><figcaption>{text}</figcaption></figure>'
