"""`course.py handouts`: the cheat sheets, quizzes and forms of the instructor kit, to be printed.

Each becomes a page of HTML and, where a browser is found that prints without a window (Chromium,
Chrome or Edge), a PDF.
"""

import html
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from medlearn import _files
from medlearn.teaching import language
from tools import new_files
from tools.translation import copies, kit, pages_of_site

NAMES = (
    "sheet_transfer",
    "sheet_adaptation",
    "sheet_reporting",
    "quiz_before",
    "quiz_after",
    "feedback",
    "certificate",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ELSEWHERE = (  # where macOS and Windows keep a browser
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
SECONDS = 90  # for a page
STYLE = """
@page { size: A4; margin: 17mm 16mm; }
body { font: 10.5pt/1.4 "Source Sans 3", "Segoe UI", Helvetica, Arial, sans-serif; color: #000;
  max-width: 48rem; margin: 1rem auto; padding: 0 1rem; }
h1 { font-size: 17pt; } h2 { font-size: 12.5pt; } h1, h2, h3 { break-after: avoid; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 0.6pt solid #888; padding: 3pt 5pt; text-align: left; vertical-align: top; }
pre { background: #f3f3f3; padding: 5pt; white-space: pre-wrap; font-size: 9pt; }
table, pre, li, blockquote { break-inside: avoid; }
@media print { body { max-width: none; margin: 0; padding: 0; } }
"""
PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{style}</style></head>
<body>
{body}
</body></html>
"""


def write(to: Path) -> Iterator[str]:
    """Write the handouts into a folder, and yield what to print.

    Parameters
    ----------
    to : Path
        The folder; it is made if there is none. A PDF of an earlier run is kept as it is.

    Raises
    ------
    OSError
        If the folder cannot be made, or `to` is a file.
    FileExistsError
        Before anything is written, if a file there is not what would be written.
    RuntimeError
        If the libraries that build the site are not installed.
    """
    pages = {name: as_html(_text(name)) for name in NAMES}
    _refuse_other_pdfs(to)
    contents = {to / f"{name}.html": page.encode() for name, page in pages.items()}
    new_files.write(contents, "The folder for the handouts", "be your own")
    browser = find_browser()
    printed = 0
    for name in pages:
        if _is_printed(browser, to / f"{name}.html", to / f"{name}.pdf"):
            printed += 1
            yield f"{to / name}.pdf"
    if printed < len(pages):
        why = "no Chromium, Chrome or Edge was found" if browser is None else "the browser failed"
        yield (
            f"{len(pages) - printed} of {len(pages)} handouts are HTML only, because {why}: open "
            f"the files in {to} in any browser and print them (Ctrl-P, or Cmd-P on a Mac)."
        )


def _refuse_other_pdfs(to: Path) -> None:
    """Raise FileExistsError if a PDF has the name of a handout, but no page is beside it."""
    pdfs = [to / f"{name}.pdf" for name in NAMES]
    alone = [pdf for pdf in pdfs if pdf.exists() and not pdf.with_suffix(".html").exists()]
    if alone:
        raise FileExistsError(
            f"{alone[0]} has no page {alone[0].stem}.html beside it ({len(alone)} of "
            f"{len(NAMES)} have none), so it may be your own or of an earlier run; choose another "
            "folder, or move away what is in this one."
        )


def _is_printed(browser: str | None, page: Path, to: Path) -> bool:
    """Whether the PDF of a page is there, or can be printed now."""
    return to.exists() or (browser is not None and print_pdf(browser, page, to))


def as_html(markdown: str) -> str:
    """Return a page of the kit as HTML that holds its own style.

    Parameters
    ----------
    markdown : str
        The page; the words of its links stay, their addresses do not print.
    """
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        raise RuntimeError(
            "Handouts are made by markdown-it-py, which this Python has not: run "
            "`python3 course.py setup`, which installs it."
        ) from None
    from tools.site.markup import without_links

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(without_links(markdown))
    title = markdown.lstrip("# ").split("\n")[0]
    spoken = pages_of_site.tag(language.name())
    return PAGE.format(language=spoken, title=html.escape(title), style=STYLE, body=body)


def find_browser() -> str | None:
    """Return the path of a browser that prints without a window, or None."""
    paths = [path for name in BROWSERS if (path := shutil.which(name))]
    paths += [path for path in ELSEWHERE if os.path.exists(path)]
    return paths[0] if paths else None


def print_pdf(browser: str, page: Path, to: Path) -> bool:
    """Let a browser print a page; returns whether a whole PDF is there.

    Parameters
    ----------
    browser : str
        The path of Chromium, Chrome or Edge.
    page : Path
        The HTML file.
    to : Path
        The PDF, which is replaced only by a whole one.
    """
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder, "page.pdf")
        command = [browser, "--headless", "--disable-gpu", "--no-pdf-header-footer"]
        command += [f"--user-data-dir={folder}/profile", f"--print-to-pdf={draft}"]
        command += ["--no-sandbox"] if _is_root() else []  # it refuses root a sandbox
        try:
            subprocess.run(
                [*command, page.resolve().as_uri()], capture_output=True, timeout=SECONDS
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        if not draft.exists() or not draft.read_bytes().rstrip().endswith(b"%%EOF"):
            return False
        _files.write_bytes(to, draft.read_bytes())
    return True


def _text(name: str) -> str:
    """A page of the kit in the reader's language."""
    if f"{name}.md" in kit.MADE:
        from tools.site import quiz

        return quiz.as_markdown(name.removeprefix("quiz_"))
    return copies.page(f"docs/instructor/{name}.md", language.name(), kit.PART)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
