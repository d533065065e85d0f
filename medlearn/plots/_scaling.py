"""Where the seconds of training go, and what more workers would save."""

import matplotlib.pyplot as plt
import numpy as np

from medlearn.plots._style import COLOURS

_MARKERS, _DASHES = "osD^v", ("-", "--", "-.", ":")


def pipeline_timeline(rows, *, end=None):
    """One lane a pipeline along the seconds: `rows` maps its name to spans (N, 3): when it began to wait, to compute, and ended.

    Blue is computing, pale orange waiting; the share of computing is written beside. `until` cuts the axis (seconds).
    """
    figure, ax = plt.subplots(figsize=(8, 0.9 + 0.5 * len(rows)))
    for place, (name, spans) in enumerate(rows.items()):
        spans = np.asarray(spans) - spans[0][0]
        waiting = [(begin, middle - begin) for begin, middle, _ in spans]
        computing = [(middle, end - middle) for _, middle, end in spans]
        first = place == 0
        ax.broken_barh(
            waiting,
            (place - 0.3, 0.6),
            color=COLOURS[1],
            alpha=0.45,
            linewidth=0,
            label="waits for images" if first else None,
        )
        ax.broken_barh(
            computing,
            (place - 0.3, 0.6),
            color=COLOURS[0],
            linewidth=0,
            label="computes" if first else None,
        )
        share = sum(width for _, width in computing) / spans[-1, 2]
        ax.annotate(
            f"busy {share:.0%}",
            (1, place),
            (6, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=10,
        )
    ax.set_yticks(range(len(rows)), rows)
    ax.invert_yaxis()
    ax.set(xlabel="seconds since the epoch began", xlim=(0, end))
    ax.legend(
        *ax.get_legend_handles_labels(),
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=2,
        fontsize=10,
    )
    return figure


def scaling(workers, links, *, chosen=None, title=""):
    """Two panels of a model of scaling: `links` maps a link to seconds a step over `workers`; the right shows the efficiency.

    Efficiency is the first worker's seconds over workers times seconds, the share of the ideal speed. `chosen`:
    (workers, link) is ringed and its numbers are written.
    """
    workers = np.asarray(workers)
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4))
    for (name, seconds), colour, marker, dash in zip(links.items(), COLOURS, _MARKERS, _DASHES):
        seconds = np.asarray(seconds)
        efficiency = seconds[0] * workers[0] / (workers * seconds)
        for ax, values in ((left, seconds), (right, efficiency)):
            ax.plot(workers, values, dash, color=colour, marker=marker, markersize=4, label=name)
        if chosen is not None and chosen[1] == name:
            at = workers.tolist().index(chosen[0])
            for ax, value, text in (
                (left, seconds[at], f"{seconds[at]:.3f} s"),
                (right, efficiency[at], f"{efficiency[at]:.0%}"),
            ):
                ax.plot(
                    chosen[0],
                    value,
                    "o",
                    markersize=15,
                    markerfacecolor="none",
                    markeredgecolor="black",
                    markeredgewidth=2,
                )
                ax.annotate(
                    text,
                    (chosen[0], value),
                    (0, 14),
                    textcoords="offset points",
                    ha="center",
                    fontsize=11,
                )
    left.plot(
        workers,
        np.asarray(next(iter(links.values())))[0] / workers,
        ":",
        color="0.5",
        label="ideal",
    )
    for ax, label in ((left, "seconds a step"), (right, "scaling efficiency")):
        ax.set_xscale("log", base=2)
        ax.set_xticks(workers, [str(each) for each in workers])
        ax.set(xlabel="workers (model)", ylabel=label)
    left.set_yscale("log")
    right.set_ylim(0, 1.15)
    figure.legend(
        *left.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=10
    )
    figure.suptitle(title, fontsize=11)
    return figure
