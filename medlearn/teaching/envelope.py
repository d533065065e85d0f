"""Labels in an envelope: first commit to a choice, then look, and a note is made of each look."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from medlearn import _checks


class Envelope:
    """Labels that can be seen only after a choice has been written down.

    Parameters
    ----------
    labels : array_like, shape (N,) or (N, H, W)
        The labels, or the masks, which stay inside.

    Attributes
    ----------
    committed : dict of str to object
        What was written down before the first look; empty until `commit`.
    asked : list of int
        Indices of the labels that were asked for one at a time, in order.
    opened : list of str
        For what purpose all labels were seen.

    Examples
    --------
    >>> sealed = Envelope(["neutrophil", "basophil"])
    >>> sealed.commit(recipe="coral")
    >>> sealed.ask(1), sealed.asked
    ('basophil', [1])
    >>> sealed
    <Envelope of 2 labels: committed to recipe = coral; 1 asked for>
    """

    def __init__(self, labels: Sequence[Any] | np.ndarray):
        array = np.asarray(labels)
        self._labels = array.copy() if array.ndim == 3 else _checks.column("labels", labels)
        self.committed: dict[str, object] = {}
        self.asked: list[int] = []
        self.opened: list[str] = []

    def commit(self, **choices: object) -> None:
        """Write down what was chosen; until the first look another choice replaces it.

        Parameters
        ----------
        **choices : object
            Names and choices, such as ``recipe="coral"``.

        Raises
        ------
        ValueError
            Without a choice, and after a label was seen.
        """
        if self.asked or self.opened:
            raise ValueError(
                "Labels of this envelope have been seen, so a choice is no commitment any more. "
                "Take another laboratory, or run the lesson from its beginning."
            )
        if not choices:
            raise ValueError('Nothing is chosen: commit(recipe="coral"), for example.')
        self.committed = choices

    def ask(self, index: int) -> Any:
        """Return one label, or the mask of one image, and note that it was asked for.

        Parameters
        ----------
        index : int
            Of the image, from 0.

        Raises
        ------
        ValueError
            Before `commit`.
        """
        self._demand_commitment()
        label = self._labels[index]
        self.asked.append(int(index))
        return label.copy() if label.ndim else label.item()

    def open(self, purpose: str) -> np.ndarray:
        """Return all labels, and note what for.

        Parameters
        ----------
        purpose : str
            Such as ``"score all candidates"``.

        Raises
        ------
        ValueError
            Before `commit`.
        """
        self._demand_commitment()
        self.opened.append(purpose)
        return self._labels.copy()

    def __repr__(self) -> str:
        choices = ", ".join(f"{name} = {choice}" for name, choice in self.committed.items())
        facts = [f"committed to {choices}" if choices else "nothing is committed"]
        facts += [f"{len(self.asked)} asked for"] if self.asked else []
        facts += [f"opened to {purpose}" for purpose in self.opened]
        return f"<Envelope of {len(self._labels)} labels: {'; '.join(facts)}>"

    def _demand_commitment(self) -> None:
        if not self.committed:
            raise ValueError(
                'Commit before you look: envelope.commit(recipe="coral"), for example, writes the '
                "choice down."
            )
