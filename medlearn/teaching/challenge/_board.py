"""The board of a challenge as a page (HTML) and as a table (CSV)."""

import csv
import html
import io
from collections.abc import Sequence
from pathlib import Path

from medlearn import _files, metrics
from medlearn._harmless import harmless
from medlearn.teaching.challenge._marking import HARM, SCORES, Board, Row

COLUMNS = (
    "name",
    "kind",
    "score",
    "low",
    "high",
    "gain",
    "gain_low",
    "gain_high",
    "regret",
    "harm",
    "method",
    "refused",
)
_LONGEST = 400  # signs of a text on the board
_WIDTH, _HEIGHT = 240, 18  # pixels of an interval
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:68rem;margin:2rem auto;padding:0 1rem;color:#222;
background:#fff}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}
.line td{color:#555;font-style:italic}code{overflow-wrap:anywhere}
@media(prefers-color-scheme:dark){body{color:#eee;background:#1b1b1b}.line td{color:#bbb}
th,td{border-color:#444}}
"""


def write_board(board: Board, path: str | Path, *, force: bool = False) -> tuple[Path, Path]:
    """Write the board as a page and, beside it, as a table of the same name.

    Parameters
    ----------
    board : Board
        What `mark_folder` returned.
    path : str or Path
        The page, which ends in .html; the table ends in .csv.
    force : bool
        Whether files of these names are replaced.

    Returns
    -------
    tuple of Path
        Page and table.

    Raises
    ------
    ValueError
        If the path ends in something else.
    FileExistsError
        If one of the files exists, unless `force`.
    """
    page, table = board_files(path, force=force)
    _files.write_text(page, as_html(board))
    _files.write_bytes(table, as_csv(board).encode("utf-8-sig", errors="replace"))
    return page, table


def board_files(path: str | Path, *, force: bool = False) -> tuple[Path, Path]:
    """Return the paths of page and table, or raise as `write_board` does.

    Parameters
    ----------
    path, force
        As for `write_board`.
    """
    page = Path(path)
    if page.suffix.casefold() != ".html":
        raise ValueError(f"{page} should end in .html, such as board.html; a table goes beside it.")
    table = page.with_suffix(".csv")
    for file in (page, table):
        if file.exists() and not force:
            raise FileExistsError(f"{file} exists: choose another name, or add --force.")
    _files.demand_parent(page)
    return page, table


def as_csv(board: Board) -> str:
    """Return the board as a table in which no cell becomes a formula.

    Parameters
    ----------
    board : Board
        The board.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in board.rows:
        numbers = [f"{number:.4f}" for number in (*row.score, *row.gain, row.regret)]
        row_kind = "line" if row.is_line else "hand-in"
        harm = "yes" if row.is_harm else "no"
        method = harmless(row.method, _LONGEST)
        writer.writerow([harmless(row.name), row_kind, *numbers, harm, method, ""])
    for name, problem in board.refused:
        empty = [""] * (len(COLUMNS) - 3)
        writer.writerow([harmless(name), "refused", *empty, harmless(problem, _LONGEST)])
    return text.getvalue()


def as_html(board: Board) -> str:
    """Return the board as a page that loads nothing and runs nothing.

    Parameters
    ----------
    board : Board
        The board.
    """
    rows = "\n".join(_html_row(rank, row) for rank, row in _ranks(board.rows))
    heads = ("", "name", SCORES[board.task], "", "minus source only", "regret", "harm", "method")
    head = "".join(f"<th>{name}</th>" for name in heads)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Challenge</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>{_STYLE}</style></head><body>
<h1>A hospital that nobody had seen</h1>
<p>Intervals are 95 %, over patients of the new hospital. <b>Regret</b>: how far below the best of
the course's candidates, which is known only now (below zero: above it). <b>Harm</b>: more than
{HARM:.2f} below source only. Lines in italics are the course's own; it had committed to its choice
before anybody handed in. Scores whose intervals overlap much are no order of merit.</p>
<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>
{rows}
</tbody></table></div>
{_html_refused(board.refused)}
<p>Commitment of the envelope: <code>{html.escape(board.commitment)}</code></p>
</body></html>
"""


def _ranks(rows: Sequence[Row]) -> list[tuple[str, Row]]:
    """The rows with the ranks of the hand-ins; lines of the course have none."""
    ranked, rank = [], 0
    for row in rows:
        rank += not row.is_line
        ranked.append(("" if row.is_line else f"{rank}.", row))
    return ranked


def _html_row(rank: str, row: Row) -> str:
    texts = [rank, _text(row.name, 80), str(row.score), _bar(row.score, row.is_line)]
    texts += [str(row.gain), f"{row.regret:.2f}".replace("-0.00", "0.00")]
    texts += ["&#9888; yes" if row.is_harm else "no", _text(row.method, _LONGEST)]
    cells = "".join(f"<td>{text}</td>" for text in texts)
    return f'<tr class="line">{cells}</tr>' if row.is_line else f"<tr>{cells}</tr>"


def _bar(score: metrics.Interval, is_line: bool) -> str:
    """The interval on an axis from 0 to 1; a diamond for a line, a disc for a hand-in."""
    value, low, high = (round(_WIDTH * number, 1) for number in score)
    middle = _HEIGHT / 2
    disc = f'<circle cx="{value}" cy="{middle}" r="5" fill="currentColor"/>'
    diamond = (
        f'<path d="M{value - 6} {middle}L{value} {middle - 6}L{value + 6} {middle}'
        f'L{value} {middle + 6}Z" fill="none" stroke="currentColor"/>'
    )
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="{score}">'
        f'<path d="M0 {middle}H{_WIDTH}" stroke="currentColor" stroke-opacity=".2"/>'
        f'<path d="M{low} {middle}H{high}" stroke="currentColor" stroke-width="2"/>'
        f"{diamond if is_line else disc}</svg>"
    )


def _html_refused(refused: Sequence[tuple[str, str]]) -> str:
    if not refused:
        return ""
    items = "".join(
        f"<li><b>{_text(name, 80)}</b>: {_text(problem, _LONGEST)}</li>"
        for name, problem in refused
    )
    return f"<h2>Refused</h2><p>These hand-ins were not marked.</p><ul>{items}</ul>"


def _text(text: str, longest: int) -> str:
    return html.escape("".join(sign if sign.isprintable() else "?" for sign in text)[:longest])
