"""Checks of a commitment (recipe, validator) that was sealed before the labels were seen."""


def is_unknown(choice, recipes: tuple[str, ...], validators: tuple[str, ...]) -> bool:
    """Return whether the choice is no pair of a recipe and a validator.

    Parameters
    ----------
    choice : object
        What the learner wrote.
    recipes, validators : tuple of str
        What may be chosen.
    """
    return not (
        isinstance(choice, tuple | list)
        and len(choice) == 2
        and choice[0] in recipes
        and choice[1] in validators
    )


def is_blind(choice, sealed) -> bool:
    """Return whether a known choice was written down before anybody asked for the labels.

    Parameters
    ----------
    choice : (str, str)
        Recipe and validator.
    sealed : Envelope
        What holds the labels.
    """
    has_seen = sealed.asked or sealed.opened
    written = {"recipe": choice[0], "validator": choice[1]}
    return not has_seen or sealed.committed == written
