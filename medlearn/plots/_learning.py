"""What a fit did, as charts."""

import matplotlib.pyplot as plt
import numpy as np

from medlearn.plots._style import COLOURS


def training_curves(losses, distances, *, epoch=None, max_distance=None, title=""):
    """A fit: `losses` maps a name to its loss after each epoch, `moved` a block to how far its weights went (0.1: by a tenth).

    `now`, an epoch from 1, is marked and what comes after it is faint; `reach` is the right end of the axis of ways, the
    same for figures that are to be compared.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.8), width_ratios=(2, 1))
    last = max(map(len, losses.values()))
    for (name, values), colour, style in zip(losses.items(), COLOURS, ("-", "--", "-.", ":")):
        epochs = np.arange(1, len(values) + 1)
        left.plot(epochs[:epoch], values[:epoch], style, marker="o", color=colour, label=name)
        if epoch is not None:
            left.plot(epochs[epoch - 1 :], values[epoch - 1 :], style, color=colour, alpha=0.3)
    if epoch is not None:
        left.axvline(epoch, color="0.5", linestyle=":", linewidth=1.5)
    left.set(xlabel="epoch", ylabel="log loss", xticks=range(1, last + 1), ylim=(0, None))
    left.legend()
    right.barh(list(distances), list(distances.values()), color=COLOURS[0])
    right.set(
        xlabel="way from the pretrained weights",
        xlim=(0, 1.1 * (max_distance or max(0.1 / 1.1, *distances.values()))),
    )
    right.tick_params(left=False)
    figure.suptitle(title)
    return figure
