"""The PO files: read, bring up to date with their English, write so that changes stay small."""

import difflib
import io
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from medlearn import _files
from tools import lessons
from tools.translation.sources import Source

FOLDER = lessons.ROOT / "docs" / "translations"
FUZZY = "fuzzy"  # the English has changed since this was translated
ALIKE = 0.6  # a text as much like a former one takes over its translation, marked
_HEADER = """\
# {part} of medlearn in {language}. English is the source: docs/translations.md says how this works.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def path(part: str, language: str) -> Path:
    """Return the PO file of a part of the course.

    Parameters
    ----------
    part : str
        Such as ``"03"`` or ``"glossary"``.
    language : str
        Such as ``"zh_CN"``.
    """
    return FOLDER / language / f"{part}.po"


def read(part: str, language: str) -> Catalog:
    """Return the translations of a part of the course; none if there is no file yet.

    Parameters
    ----------
    part, language : str
        As for `path`.
    """
    file = path(part, language)
    if not file.exists():
        return Catalog()
    return read_po(io.BytesIO(file.read_bytes()), charset="utf-8")


def write(catalogue: Catalog, part: str, language: str) -> bool:
    """Write the PO file and return whether it has changed.

    Parameters
    ----------
    catalogue : Catalog
        All messages, in the order of the English.
    part, language : str
        As for `path`.
    """
    content = io.BytesIO()
    content.write(_HEADER.format(part=part, language=language).encode())
    write_po(content, catalogue, width=0, omit_header=True, ignore_obsolete=True)
    file = path(part, language)
    if file.exists() and file.read_bytes() == content.getvalue():
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    _files.write_bytes(file, content.getvalue())
    return True


def updated(old: Catalog, sources: list[Source]) -> Catalog:
    """Return a catalogue of these texts that keeps all translations which still fit.

    A text that has changed keeps the translation of the former one, marked fuzzy, so that the
    reader gets English and the translator a start.

    Parameters
    ----------
    old : Catalog
        The translations so far.
    sources : list of Source
        The English of today.
    """
    new = Catalog()
    present = {(source.context, source.text) for source in sources}
    orphans = [message for message in old if message.id and _key(message) not in present]
    for source in sources:
        message = old.get(source.text, source.context)
        if message is not None:
            _add(new, source, message.string, set(message.flags) & {FUZZY}, message.previous_id)
            continue
        former = _former(source, orphans)
        if former is None or not former.string:
            _add(new, source, "", set(), ())
        else:
            _add(new, source, former.string, {FUZZY}, [former.previous_id or former.id])
    return new


def translation(catalogue: Catalog, context: str, text: str) -> str | None:
    """Return the translation of a text, or None if there is none for this English.

    Parameters
    ----------
    catalogue : Catalog
        From `read`.
    context : str
        Where the text stands, as in `Source`.
    text : str
        The English.
    """
    message = catalogue.get(text, context)
    if message is None or not message.string or FUZZY in message.flags:
        return None
    return message.string


def _add(catalogue: Catalog, source: Source, string: str, flags: set, previous) -> None:
    previous = previous[0] if previous and isinstance(previous[0], list | tuple) else previous
    catalogue.add(
        source.text,
        string,
        flags=flags,
        context=source.context,
        previous_id=previous or (),
        auto_comments=[source.note] if source.note else (),
    )


def _former(source: Source, orphans: list[Message]) -> Message | None:
    """The message that stood in the place of this text, of those whose English is gone."""
    same_place = {message.id: message for message in orphans if message.context == source.context}
    if source.is_alone and same_place:
        return next(iter(same_place.values()))
    close = difflib.get_close_matches(source.text, same_place, n=1, cutoff=ALIKE)
    return same_place[close[0]] if close else None


def _key(message: Message) -> tuple[str, str]:
    return message.context, message.id
