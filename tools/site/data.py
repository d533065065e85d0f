"""The data catalogue: each card as a piece of a page."""

from pathlib import Path

from medlearn.datasets import _catalogue


def write(source: Path) -> None:
    """Write `data.md`, from the cards."""
    cards = [_catalogue.card(name) for name in _catalogue.names()]
    lines = [
        "# Data",
        "",
        "Every set has a card: where it comes from, who may use it for what, what to look out for. "
        '`datasets.load("NAME")` brings each of them, simulated or real. Images of the real sets are never shown here: '
        "not every licence lets us publish them.",
        "",
        "| name | kind | twin | classes | domains | licence |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| [{card.name}](#data-{card.name}) | {card.kind} | {f'`{card.twin}`' if card.twin else ''} | {len(card.classes) or '-'} "
        f"| {', '.join(card.domains + card.more_domains)} | {card.licence.split(',')[0].split('(')[0]} |"
        for card in cards
    ]
    for card in cards:
        lines += [
            "",
            f"(data-{card.name})=",
            f"## {card.name}",
            "",
            f"**{card.title}.** ({card.kind}"
            + (
                f"; its twin is [{card.twin}](#data-{card.twin})"
                if card.twin in _catalogue.names()
                else ""
            )
            + ")",
            "",
        ]
        facts = {
            "Licence": card.licence,
            "Domains": ", ".join(card.domains + card.more_domains),
            "Classes": ", ".join(card.classes),
            "Mask classes": ", ".join(card.mask_classes),
            "Patients": "known"
            if card.patients_known
            else "not known: each image counts as its own",
            "To download": card.download,
            "By default": _defaults(card),
            "Left out": card.left_out,
            "Origin": f"`{card.origin}`" if card.origin else "",
            "Cite": card.citation,
        }
        lines += [f"- **{name}:** {text}" for name, text in facts.items() if text]
        lines += ["", *(f"- {note}" for note in card.notes)]
    (source / "data.md").write_text("\n".join(lines).replace("<", "&lt;") + "\n", encoding="utf-8")


def _defaults(card: _catalogue.Card) -> str:
    count = f"at most {card.count} images" if card.count else "every image"
    return f"{count}, {f'{card.size} px' if card.size else 'the full frame'}"
