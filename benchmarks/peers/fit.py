"""SKADA, POT and ADAPT in their own environment: vectors in, probabilities out.

    python fit.py LIBRARY SEED inputs.npz outputs.npz

Called by ../adaptation_peers.py. inputs: source (N, D), source_labels (N,), target (M, D), other
(K, D). No label of the target is handed over. outputs: for each method its probabilities (K,
classes) of `other`, its CPU-seconds and the library's own label-free scores.
"""

from collections.abc import Callable, Iterator
import os
import sys
import time
from typing import NamedTuple

os.environ["TF_USE_LEGACY_KERAS"] = "1"
import numpy as np
from sklearn.linear_model import LogisticRegression


class Result(NamedTuple):
    """What one method gives."""

    name: str
    probabilities: np.ndarray
    seconds: float
    scores: dict[str, float]


def probe() -> LogisticRegression:
    """Return the classifier that our own candidates use."""
    return LogisticRegression(C=0.03, max_iter=2000)


def skada_methods(inputs: dict, seed: int) -> Iterator[Result]:
    """Yield the results of SKADA's methods.

    Parameters
    ----------
    inputs : dict
        The arrays that were handed over.
    seed : int
        Not used.
    """
    import skada
    from skada import metrics

    def subspace(base_estimator):  # n_components=None fails
        return skada.SubspaceAlignment(base_estimator, n_components=20)

    methods = {"SKADA CORAL": skada.CORAL, "SKADA OT": skada.OTMapping, "SKADA subspace": subspace}
    scorers = {
        "entropy": metrics.PredictionEntropyScorer(),
        "neighbourhood": metrics.SoftNeighborhoodDensity(),
        "embedded": metrics.DeepEmbeddedValidation(),
        "circular": metrics.CircularValidation(),
    }
    vectors = np.concatenate([inputs["source"], inputs["target"]])
    hidden = np.full(len(inputs["target"]), -1)
    labels = np.concatenate([inputs["source_labels"], hidden])
    domain = np.repeat([1, -2], [len(inputs["source"]), len(inputs["target"])])
    other_domain = np.full(len(inputs["other"]), -2)
    for name, method in methods.items():
        start = time.process_time()
        model = method(base_estimator=probe()).fit(vectors, labels, sample_domain=domain)
        probabilities = model.predict_proba(inputs["other"], sample_domain=other_domain)
        seconds = time.process_time() - start
        scores = {
            scorer: score_or_nan(by, model, vectors, labels, sample_domain=domain)
            for scorer, by in scorers.items()
        }
        yield Result(name, probabilities, seconds, scores)


def pot_methods(inputs: dict, seed: int) -> Iterator[Result]:
    """Yield the results of POT's transport plans.

    Parameters
    ----------
    inputs : dict
        The arrays that were handed over.
    seed : int
        Not used.
    """
    import ot

    source, labels = inputs["source"], inputs["source_labels"]
    # Entropies are in units of the largest cost: of .02, .05 and 1, the last blurs the classes.
    plans = {
        "POT exact": ot.da.EMDTransport(),
        "POT Sinkhorn": ot.da.SinkhornTransport(reg_e=1.0, norm="max"),
        "POT Sinkhorn, group": ot.da.SinkhornLpl1Transport(reg_e=1.0, reg_cl=0.1, norm="max"),
        "POT Sinkhorn, .02": ot.da.SinkhornTransport(reg_e=0.02, norm="max", max_iter=2000),
        "POT Sinkhorn, .05": ot.da.SinkhornTransport(reg_e=0.05, norm="max", max_iter=2000),
        "POT Sinkhorn, group, .05": ot.da.SinkhornLpl1Transport(reg_e=0.05, norm="max"),
    }
    for name, plan in plans.items():
        start = time.process_time()
        moved = plan.fit(Xs=source, ys=labels, Xt=inputs["target"]).transform(Xs=source)
        probabilities = probe().fit(moved, labels).predict_proba(inputs["other"])
        yield Result(name, probabilities, time.process_time() - start, {})


def adapt_methods(inputs: dict, seed: int) -> Iterator[Result]:
    """Yield the results of ADAPT's networks.

    Parameters
    ----------
    inputs : dict
        The arrays that were handed over.
    seed : int
        Seed of the networks.
    """
    import tensorflow as tf
    from adapt.feature_based import CDAN, DANN, MCD, DeepCORAL
    from adapt.metrics import cov_distance

    layers, classes = tf.keras.layers, int(inputs["source_labels"].max()) + 1
    one_hot = np.eye(classes, dtype="float32")[inputs["source_labels"]]
    source = inputs["source"].astype("float32")
    target = inputs["target"].astype("float32")
    predicted = inputs["other"].astype("float32")
    for method in (DANN, DeepCORAL, CDAN, MCD):
        start = time.process_time()
        tf.keras.utils.set_random_seed(seed)
        encoder = tf.keras.Sequential([layers.Input(source.shape[1:]), layers.Dense(64, "relu")])
        task = tf.keras.Sequential([layers.Input((64,)), layers.Dense(classes, "softmax")])
        model = method(
            encoder,
            task,
            Xt=target,
            verbose=0,
            random_state=seed,
            loss="categorical_crossentropy",
            optimizer="adam",
        )
        model.fit(source, one_hot, epochs=20, batch_size=32, verbose=0)
        probabilities = np.asarray(model.predict(predicted))
        seconds = time.process_time() - start
        features = np.asarray(model.transform(source)), np.asarray(model.transform(target))
        # Its neg_j_score overflows to NaN here.
        scores = {"covariance": -score_or_nan(cov_distance, *features)}
        yield Result(f"ADAPT {method.__name__}", probabilities, seconds, scores)


def score_or_nan(scorer: Callable, *arguments, **options) -> float:
    """Return a score, or NaN where the library's scorer gives up on these data.

    Parameters
    ----------
    scorer : callable
        A function of the arguments.
    *arguments, **options
        Passed on.
    """
    try:
        return float(scorer(*arguments, **options))
    except Exception as error:
        print(f"No score: {type(error).__name__}: {str(error)[:120]}", file=sys.stderr)
        return np.nan


METHODS = {"skada": skada_methods, "pot": pot_methods, "adapt": adapt_methods}


def as_text(scores: dict[str, float]) -> str:
    """Return scores as text, such as "entropy=-0.2107 circular=0.8812"."""
    return " ".join(f"{name}={value:.4f}" for name, value in scores.items())


if __name__ == "__main__":
    library, seed, inputs, outputs = sys.argv[1:]
    results = list(METHODS[library](dict(np.load(inputs)), int(seed)))
    np.savez(
        outputs,
        names=[result.name for result in results],
        probabilities=np.array([result.probabilities for result in results]),
        seconds=[result.seconds for result in results],
        scores=[as_text(result.scores) for result in results],
    )
