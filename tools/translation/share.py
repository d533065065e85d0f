"""How much is translated: by letters of the English, for each part and in all."""

from babel.messages.catalog import Catalog

from tools.translation import catalogues, exchange, sources

ENOUGH = 0.98


def finished(language: str) -> list[str]:
    """Return the parts that are finished: these must stay translated."""
    lines = (catalogues.FOLDER / language / "finished.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def today(part: str, language: str) -> Catalog:
    """Return the translations of a part against the English of today.

    Parameters
    ----------
    part, language : str
        As for `catalogues.path`.
    """
    return catalogues.updated(catalogues.read(part, language), sources.read(part))


def problems(catalogue: Catalog) -> list[str]:
    """Return what the translations of a part have lost, a sentence each."""
    faults = []
    for message in catalogue:
        if message.id and exchange.is_translated(message):
            faults += exchange.of_message(message)
    return faults


def of(catalogue: Catalog) -> tuple[int, int]:
    """Return how many letters of the English are translated, and how many there are."""
    messages = [message for message in catalogue if message.id]
    translated = sum(len(message.id) for message in messages if exchange.is_translated(message))
    return translated, sum(len(message.id) for message in messages)
