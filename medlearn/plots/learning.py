"""What a fit did, as charts."""

import matplotlib.pyplot as plt
import numpy as np

from .style import COLOURS


def training(losses, moved, *, title=""):
    """A fit: `losses` maps a name to its loss after each epoch, `moved` a block to how far its weights went (0.1: by a tenth)."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.8), width_ratios=(2, 1))
    for (name, values), colour, style in zip(losses.items(), COLOURS, ("-", "--", "-.", ":")):
        left.plot(np.arange(1, len(values) + 1), values, style, marker="o", color=colour, label=name)
    left.set(xlabel="epoch", ylabel="log loss", xticks=range(1, max(map(len, losses.values())) + 1), ylim=(0, None))
    left.legend()
    right.barh(list(moved), list(moved.values()), color=COLOURS[0])
    right.set(xlabel="way from the pretrained weights", xlim=(0, max(0.1, 1.1 * max(moved.values()))))
    right.tick_params(left=False)
    figure.suptitle(title)
    return figure
