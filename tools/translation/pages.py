"""A page of Markdown as blocks: paragraphs and lists whole, tables row by row."""

import re
from collections.abc import Callable

_FENCE = re.compile(r"^ *(```+|~~~+|:::+)")
_RULE = re.compile(r"^\|[\s:|-]+\|$")  # the line below the head of a table


def blocks(text: str) -> list[str]:
    """Return the blocks of a page and what stands between them; joined they are the page.

    Parameters
    ----------
    text : str
        Markdown. Fenced code and directives are one block each.
    """
    parts: list[str] = []
    fence = ""  # the sign that closes the fenced block in which the line stands
    for line in text.splitlines(keepends=True):
        opening = _FENCE.match(line)
        if not parts or (not fence and (opening or _begins_a_block(line, parts[-1]))):
            parts.append(line)
        else:
            parts[-1] += line
        if fence and line.strip() == fence:
            fence = ""
            parts.append("")
        elif opening and not fence:
            fence = opening.group(1)
    return _with_line_ends_apart([block for block in parts if block])


def is_prose(block: str) -> bool:
    """Return whether a block holds anything to be translated.

    Parameters
    ----------
    block : str
        One of `blocks`.
    """
    if _FENCE.match(block) or _RULE.match(block) or block.lstrip().startswith("<!--"):
        return False
    return re.search(r"[A-Za-z]{2}", re.sub(r"`[^`]*`|<[^>]+>|\]\([^)]*\)", "", block)) is not None


def translated(text: str, translate: Callable[[str], str]) -> str:
    """Return the page with each block of prose translated.

    Parameters
    ----------
    text : str
        Markdown.
    translate : callable
        Returns the translation of a block, or the block itself.
    """
    return "".join(translate(block) if is_prose(block) else block for block in blocks(text))


def _begins_a_block(line: str, block: str) -> bool:
    """Whether a line begins a new block after this one: text, blank lines, rows of a table."""
    if not line.strip():
        return bool(block.strip())
    return not block.strip() or line.startswith("|") or block.startswith("|")


def _with_line_ends_apart(parts: list[str]) -> list[str]:
    """Blocks without their last line end, which becomes a block of its own."""
    apart = []
    for block in parts:
        body = block.rstrip("\n")
        apart += [part for part in (body, block[len(body) :]) if part]
    return apart
