"""Small changes of Markdown that several pages need."""

import html
import re


def without_links(markdown: str) -> str:
    """Return the text with the words of its links and pictures in their place."""
    return re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)


def plain(markdown: str) -> str:
    """Return the text without Markdown's signs, on one line."""
    text = re.sub(r"[*`$\\]|^\|.*$", "", without_links(markdown), flags=re.MULTILINE)
    return " ".join(text.split())


def escaped(text: str) -> str:
    """Return text whose signs mean themselves in Markdown, except within `code`."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"([*_<>$\[\]|#{}~\\^])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def image(source: str, alt: str) -> str:
    """Return a picture as HTML that loads late.

    Parameters
    ----------
    source : str
        Its address.
    alt : str
        The text in its stead; empty for a picture that only decorates.
    """
    return f'<img src="{source}" alt="{html.escape(alt, quote=True)}" loading="lazy">'


def toctree(names: list[str]) -> str:
    """Return a hidden table of contents with these pages."""
    return "\n".join(["```{toctree}", ":hidden:", "", *names, "```", ""])
