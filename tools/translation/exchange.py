"""Translations as plain text, for those who do not edit PO files.

Each message begins with a line ``=== key``, below which the text stands as it is. The key holds a
few letters of a digest of the English: a text that has changed meanwhile is not taken over.
"""

import hashlib
import re

from babel.messages.catalog import Catalog, Message

from tools.translation import catalogues, rules

REFERENCES = "@references"  # a line that takes over the English list of references
_KEY = re.compile(r"^=== (.+?) *$", re.MULTILINE)


def key(message: Message) -> str:
    """Return the name of a message, such as ``l03-001 9c1e05``."""
    digest = hashlib.sha256(f"{message.context}\0{message.id}".encode()).hexdigest()
    return f"{message.context} {digest[:6]}"


def untranslated(catalogue: Catalog) -> list[Message]:
    """Return the messages without a translation, or whose English has changed since."""
    return [message for message in catalogue if message.id and not is_translated(message)]


def is_translated(message: Message) -> bool:
    """Return whether a reader sees the translation of this message."""
    return bool(message.string) and catalogues.FUZZY not in message.flags


def export(catalogue: Catalog, everything: bool = False) -> str:
    """Return what is to be translated; a former translation stands below its English.

    Parameters
    ----------
    catalogue : Catalog
        Of a part of the course.
    everything : bool
        Also what is translated already.
    """
    messages = untranslated(catalogue)
    if everything:
        messages = [message for message in catalogue if message.id]
    parts = []
    for message in messages:
        former = f"\n--- translated so far\n{message.string}" if message.string else ""
        parts.append(f"=== {key(message)}\n{message.id}{former}\n")
    return "\n".join(parts)


def take_over(catalogue: Catalog, text: str) -> list[str]:
    """Put the translations of a text into a catalogue, and return what is wrong with them.

    Parameters
    ----------
    catalogue : Catalog
        Of a part of the course; it is changed.
    text : str
        Keys, each followed by its translation. What breaks a rule is taken over all the same.
    """
    messages = {key(message): message for message in catalogue if message.id}
    pieces = _KEY.split(text)
    problems = []
    for name, translation in zip(pieces[1::2], pieces[2::2], strict=True):
        if name not in messages:
            problems.append(f"{name}: no such message, or its English has changed; export again")
            continue
        message = messages[name]
        translation = _with_ends_of(message.id, translation)
        if REFERENCES in translation.splitlines():
            _, _, listed = message.id.partition("## References")
            translation = translation.replace(REFERENCES, f"## 参考文献{listed}")
        message.string = translation
        message.flags.discard(catalogues.FUZZY)
        message.previous_id = []
        problems += of_message(message)
    return problems


def _with_ends_of(english: str, translation: str) -> str:
    """The translation with the empty lines around the English: what follows may need them."""
    body = english.strip("\n")
    before, _, after = english.partition(body)
    return f"{before}{translation.strip(chr(10))}{after}"


def of_message(message: Message) -> list[str]:
    """Return what is wrong with the translation of a message, with its key."""
    faults = rules.problems(message.context, message.id, message.string)
    faults += rules.spacing([message.string])
    return [f"{key(message)}: {problem}" for problem in faults]
