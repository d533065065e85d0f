"""Few labels, uneven classes, spoiled images: what each costs, and what the remedies bring back."""

import matplotlib.pyplot as plt
import numpy as np

from medlearn.plots._pictures import images
from medlearn.plots._style import COLOURS, RIGHT, WRONG, bare_axes, dot

_MARKERS, _DASHES = "osD^v", ("-", "--", "-.", ":")


def learning_curves(results, *, xlabel, ylabel, highlights=()):
    """Learning curves with ragged draws: `results` maps a method to {labels a class: scores of its draws}.

    A line for the mean, a band from the lowest draw to the highest. `live`: dict of method -> (labels, score), drawn as stars.
    """
    figure, ax = plt.subplots(figsize=(8, 3.8))
    sizes = sorted({size for scores in results.values() for size in scores})
    for (name, scores), colour, marker in zip(results.items(), COLOURS, _MARKERS):
        here = sorted(scores)
        ax.plot(
            here, [np.mean(scores[size]) for size in here], color=colour, marker=marker, label=name
        )
        ax.fill_between(
            here,
            *([end(scores[size]) for size in here] for end in (min, max)),
            color=colour,
            alpha=0.15,
            linewidth=0,
        )
        if name in dict(highlights):
            ax.plot(
                *dict(highlights)[name],
                "*",
                markersize=15,
                color=colour,
                markeredgecolor="black",
                label=f"{name}, here and now",
            )
    ax.set_xscale("log")
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.minorticks_off()
    ax.set(xlabel=xlabel, ylabel=f"{ylabel}\n(line: mean, band: all draws)")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def intervals_by_metric(panels):
    """Side by side, a dot and its interval for each remedy: `panels` maps a title to {name: (value, low, high)}."""
    names = list(next(iter(panels.values())))
    figure, axes = plt.subplots(
        1, len(panels), figsize=(8, 0.9 + 0.36 * len(names)), sharey=True, squeeze=False
    )
    for ax, (title, results), colour in zip(axes.flat, panels.items(), COLOURS):
        for row, name in enumerate(names):
            dot(ax, row, *results[name], colour, size=6)
        ax.set_title(title, fontsize=10, loc="center")
        ax.axvline(results[names[0]][0], color="0.5", linestyle=":", linewidth=1.5)
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].invert_yaxis()
    figure.supxlabel(f"dot: all patients; bar: 95 % interval; dotted: {names[0]}", fontsize=10)
    return figure


def robustness_curves(panels, *, ylabel):
    """One panel a dial: `panels` maps its name to (amounts, {model: scores}, share of images that raise an alarm)."""
    figure, axes = plt.subplots(1, len(panels), figsize=(8, 2.9), sharey=True, squeeze=False)
    for ax, (title, (amounts, scores, alarms)) in zip(axes.flat, panels.items()):
        places = range(len(amounts))
        for (name, values), colour, marker, dash in zip(scores.items(), COLOURS, _MARKERS, _DASHES):
            ax.plot(places, values, dash, color=colour, marker=marker, markersize=5, label=name)
        ax.bar(
            places,
            alarms,
            color="0.85",
            width=0.7,
            zorder=0,
            label="share of images that raise an alarm",
        )
        ax.set_xticks(places, [f"{amount:g}" for amount in amounts])
        ax.set(ylim=(0, 1.02), xlabel=title)
    axes[0, 0].set_ylabel(ylabel)
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=9
    )
    return figure


def perturbed_predictions(before, after, probabilities, classes, truth, *, failed_checks=()):
    """A picture as it was and as it is, and what each model says of it: `probabilities` maps a model to (K,).

    The true class is printed in bold; `alarms` names the measures that are out of their limits.
    """
    figure, axes = plt.subplots(1, 3, figsize=(8, 2.7), width_ratios=(1, 1, 1.2))
    for ax, picture, title in zip(axes, (before, after), ("as it was", "as it is now")):
        ax.imshow(picture, vmin=0, vmax=255)
        bare_axes(ax)
        ax.set_title(title, fontsize=10, loc="center")
    axes[1].set_xlabel(
        f"alarm: {', '.join(failed_checks)}" if failed_checks else "no alarm",
        color=WRONG if failed_checks else "black",
        fontsize=10,
    )
    height = 0.8 / len(probabilities)
    for number, ((name, values), colour) in enumerate(zip(probabilities.items(), COLOURS)):
        axes[2].barh(
            np.arange(len(classes)) + (number - (len(probabilities) - 1) / 2) * height,
            values,
            height,
            color=colour,
            label=name,
        )
    axes[2].set_yticks(range(len(classes)), classes, fontsize=9)
    axes[2].get_yticklabels()[truth].set_fontweight("bold")
    axes[2].invert_yaxis()
    axes[2].set(xlim=(0, 1), xlabel="probability")
    axes[2].legend(
        loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(probabilities), fontsize=9
    )
    return figure


def suspect_labels(pictures, labels, predictions, classes, wrong=None, *, columns=6):
    """A contact sheet of doubtful labels, most doubtful first; `wrong` (N,), if known, frames true mistakes blue, others orange-red."""
    titles = [
        f"labelled {classes[label]}\nsays {classes[said]}"
        for label, said in zip(labels, predictions)
    ]
    frames = None if wrong is None else [RIGHT if each else WRONG for each in wrong]
    figure = images(pictures, titles, columns=columns, frames=frames)
    columns = min(columns, len(pictures))
    figure.set_size_inches(8, -(-len(pictures) // columns) * (8 / columns + 0.5))
    for ax in figure.axes:
        ax.title.set_fontsize(8)
    return figure
