"""The data catalogue: each card as a section of a page."""

from pathlib import Path

from medlearn import datasets

HEAD = """\
# Data

Every set has a card: where it comes from, who may use it for what, what to look out for.
`datasets.load("NAME")` brings each of them, simulated or real, and `datasets.load_volumes` whole
volumes of those that have them. Images of the real sets are never
shown here: not every licence lets us publish them.

| name | kind | twin | classes | domains | licence |
|---|---|---|---|---|---|
"""


def write(source: Path) -> None:
    """Write ``data.md`` into Sphinx's folder, from the cards."""
    cards = [datasets.card(name) for name in datasets.names()]
    rows = "\n".join(map(_row, cards))
    sections = "\n\n".join(map(_section, cards))
    page = f"{HEAD}{rows}\n\n{sections}\n".replace("<", "&lt;")
    (source / "data.md").write_text(page, encoding="utf-8")


def _row(card: datasets.Card) -> str:
    cells = (
        f"[{card.name}](#data-{card.name})",
        card.kind,
        f"`{card.twin}`" if card.twin else "",
        str(len(card.classes) or "-"),
        _domains(card),
        card.licence.split(",")[0].split("(")[0],
    )
    return f"| {' | '.join(cells)} |"


def _section(card: datasets.Card) -> str:
    twin = f"; its twin is [{card.twin}](#data-{card.twin})" if card.twin else ""
    facts = [f"- **{name}:** {text}" for name, text in _facts(card).items() if text]
    return "\n".join(
        [
            f"(data-{card.name})=",
            f"## {card.name}",
            "",
            f"**{card.title}.** ({card.kind}{twin})",
            "",
            *facts,
            *(f"- {note}" for note in card.notes),
        ]
    )


def _facts(card: datasets.Card) -> dict[str, str]:
    return {
        "Licence": card.licence,
        "Domains": _domains(card),
        "Classes": ", ".join(card.classes),
        "Volumes": f"{card.volumes} by default" if card.volumes else "",
        "Mask classes": ", ".join(card.mask_classes),
        "Patients": "known" if card.patients_known else "unknown: each image counts as its own",
        "To download": card.download,
        "By default": _defaults(card),
        "Left out": card.left_out,
        "Origin": f"`{card.origin}`" if card.origin else "",
        "Cite": card.citation,
    }


def _domains(card: datasets.Card) -> str:
    return ", ".join(card.domains + card.more_domains)


def _defaults(card: datasets.Card) -> str:
    count = f"at most {card.count} images" if card.count else "every image"
    size = f"{card.size} px" if card.size else "the full frame"
    return f"{count}, {size}"
