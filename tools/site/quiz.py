"""The quiz before and the quiz after, which mark themselves; the keys are on a page of their own.

The questions are in ``docs/instructor/quiz.toml``; `python3 -m tools.site.quiz` writes the plain
pages beside it. The pages speak the reader's language. A page of the site holds a check sum of each
right letter and not the letter, so that it cannot be read off the page's source at a glance.
"""

import html
from pathlib import Path

from tools.lessons import ROOT
from tools.translation import kit

SIDES = ("before", "after")
LETTERS = "abc"


def items() -> list[dict]:
    """Return the matched items: ``topic``, ``lesson``, and ``before`` and ``after``."""
    return kit.read(kit.QUIZ)["items"]


def words() -> dict[str, str]:
    """Return what the pages say around the items, in the reader's language."""
    return kit.read(kit.QUIZ)["words"]


def check_sum(name: str, letter: str) -> int:
    """Return what a page holds in the place of a right letter; ``site.js`` computes the same.

    Parameters
    ----------
    name : str
        Of the question, such as ``"before3"``.
    letter : str
        An answer.
    """
    total = 7
    for sign in f"{name}:{letter}":
        total = (total * 31 + ord(sign)) % 1_000_003
    return total


def write(source: Path) -> None:
    """Write the two quizzes and their keys into Sphinx's folder."""
    folder = source / "instructor"
    (folder / "quiz.toml").unlink(missing_ok=True)
    for side in SIDES:
        (folder / f"quiz_{side}.md").write_text(_page(side), encoding="utf-8")
    (folder / "quiz_key.md").write_text(_keys(), encoding="utf-8")


def as_markdown(side: str) -> str:
    """Return a quiz as it stands in ``docs/instructor``: to be read, printed and answered by hand.

    Parameters
    ----------
    side : str
        ``"before"`` or ``"after"``.
    """
    phrases = words()
    parts = [f"# {phrases[f'{side}_title']}", phrases[f"{side}_lead"], phrases["made"]]
    for number, item in enumerate(items(), start=1):
        options = zip(LETTERS, item[side]["options"], strict=True)
        lines = [f"   **({letter})** {option}" for letter, option in options]
        parts.append("  \n".join([f"{number}. {item[side]['ask']}", *lines]))
    return "\n\n".join(parts) + "\n"


def write_plain() -> None:
    """Write the pages of ``docs/instructor`` that ``quiz.toml`` makes."""
    folder = ROOT / "docs" / "instructor"
    for side in SIDES:
        (folder / f"quiz_{side}.md").write_text(as_markdown(side), encoding="utf-8")
    (folder / "quiz_key.md").write_text(_keys(), encoding="utf-8")


def _page(side: str) -> str:
    phrases = words()
    questions = [_question(side, number, item) for number, item in enumerate(items(), start=1)]
    button = f'<button type="button">{html.escape(phrases["mark"])}</button>'
    end = f'<p>{button} <output role="status"></output></p>'
    data = "".join(
        f' data-{key.replace("_", "-")}="{html.escape(phrases[key])}"'
        for key in ("is_right", "is_wrong", "is_open", "score")
    )
    form = "\n".join([f'<form class="quiz"{data}>', *questions, end, "</form>"])
    return f"# {phrases[f'{side}_title']}\n\n{phrases[f'{side}_lead']}\n\n{form}\n"


def _question(side: str, number: int, item: dict) -> str:
    name = f"{side}{number}"
    question = item[side]
    choices = []
    for letter, option in zip(LETTERS, question["options"], strict=True):
        box = f'<input type="radio" name="{name}" value="{letter}">'
        choices.append(f"<label>{box} {html.escape(option)}</label>")
    key = check_sum(name, question["right"])
    legend = f"<legend>{number}. {_inline(question['ask'])}</legend>"
    return f'<fieldset data-key="{key}">{legend}{"".join(choices)}</fieldset>'


def _keys() -> str:
    phrases = words()
    rows = [phrases["keys_columns"], "|---|---|---|---|---|"]
    reasons = []
    for number, item in enumerate(items(), start=1):
        letters = " | ".join(item[side]["right"] for side in SIDES)
        rows.append(f"| {number} | {item['topic']} | {letters} | {item['lesson']} |")
        why = {
            side: phrases["reason"].format(
                side=phrases[side], letter=item[side]["right"], why=item[side]["why"]
            )
            for side in SIDES
        }
        reasons.append(phrases["reasons"].format(number=number, topic=item["topic"], **why))
    parts = [f"# {phrases['keys_title']}", phrases["keys_lead"], "\n".join(rows), *reasons]
    return "\n\n".join(parts) + "\n"


def _inline(text: str) -> str:
    """Text as HTML; `code` stays code."""
    parts = html.escape(text).split("`")
    parts[1::2] = [f"<code>{part}</code>" for part in parts[1::2]]
    return "".join(parts)


if __name__ == "__main__":
    write_plain()
