"""Runs in the peers' own environment: vectors in, probabilities out; called by ../adaptation_peers.py.

    python fit.py LIBRARY SEED given.npz told.npz

given: source (N, D), source_labels (N,), target (M, D), other (K, D). No label of the target is handed over.
told: for each method its probabilities (K, classes) of `other`, its CPU-seconds and the library's own label-free scores.
"""

import os
import sys
import time

os.environ["TF_USE_LEGACY_KERAS"] = "1"
import numpy as np
from sklearn.linear_model import LogisticRegression


def probe():
    return LogisticRegression(C=0.03, max_iter=2000)  # the one our own candidates use


def skada_methods(given, seed):
    import skada
    from skada import metrics

    methods = {
        "SKADA CORAL": skada.CORAL,
        "SKADA OT": skada.OTMapping,
        "SKADA subspace": lambda base_estimator: skada.SubspaceAlignment(
            base_estimator, n_components=20
        ),
    }  # None fails
    scorers = {
        "entropy": metrics.PredictionEntropyScorer(),
        "neighbourhood": metrics.SoftNeighborhoodDensity(),
        "embedded": metrics.DeepEmbeddedValidation(),
        "circular": metrics.CircularValidation(),
    }
    vectors = np.concatenate([given["source"], given["target"]])
    labels = np.concatenate(
        [given["source_labels"], np.full(len(given["target"]), -1)]
    )  # -1: hidden
    domain = np.repeat([1, -2], [len(given["source"]), len(given["target"])])
    for name, make in methods.items():
        start = time.process_time()
        model = make(base_estimator=probe()).fit(vectors, labels, sample_domain=domain)
        told = model.predict_proba(given["other"], sample_domain=np.full(len(given["other"]), -2))
        seconds = time.process_time() - start
        yield (
            name,
            told,
            seconds,
            {
                each: scored(lambda: by(model, vectors, labels, sample_domain=domain))
                for each, by in scorers.items()
            },
        )


def pot_methods(given, seed):
    import ot

    # Without norm="max" the entropic plans underflow to NaN on these vectors.
    for name, plan in {
        "POT exact": ot.da.EMDTransport(),
        "POT Sinkhorn": ot.da.SinkhornTransport(reg_e=1.0, norm="max"),
        "POT Sinkhorn, group": ot.da.SinkhornLpl1Transport(reg_e=1.0, reg_cl=0.1, norm="max"),
    }.items():
        start = time.process_time()
        moved = plan.fit(
            Xs=given["source"], ys=given["source_labels"], Xt=given["target"]
        ).transform(Xs=given["source"])
        told = probe().fit(moved, given["source_labels"]).predict_proba(given["other"])
        yield name, told, time.process_time() - start, {}


def adapt_methods(given, seed):
    import tensorflow as tf
    from adapt.feature_based import CDAN, DANN, MCD, DeepCORAL
    from adapt.metrics import cov_distance

    layers, classes = tf.keras.layers, int(given["source_labels"].max()) + 1
    hot = np.eye(classes, dtype="float32")[given["source_labels"]]
    source, target, other = (
        given[name].astype("float32") for name in ("source", "target", "other")
    )
    for make in (DANN, DeepCORAL, CDAN, MCD):
        start = time.process_time()
        tf.keras.utils.set_random_seed(seed)
        encoder = tf.keras.Sequential([layers.Input(source.shape[1:]), layers.Dense(64, "relu")])
        task = tf.keras.Sequential([layers.Input((64,)), layers.Dense(classes, "softmax")])
        model = make(
            encoder,
            task,
            Xt=target,
            verbose=0,
            random_state=seed,
            loss="categorical_crossentropy",
            optimizer="adam",
        )
        model.fit(source, hot, epochs=20, batch_size=32, verbose=0)
        told = np.asarray(model.predict(other))
        seconds = time.process_time() - start
        seen = np.asarray(model.transform(source)), np.asarray(model.transform(target))
        own = {
            "covariance": -scored(lambda: cov_distance(*seen))
        }  # its neg_j_score overflows to NaN here
        yield f"ADAPT {make.__name__}", told, seconds, own


def scored(call) -> float:
    """The score, or NaN where the library's scorer gives up on these data."""
    try:
        return float(call())
    except Exception as error:
        print(f"No score: {type(error).__name__}: {str(error)[:120]}", file=sys.stderr)
        return np.nan


if __name__ == "__main__":
    library, seed, given, told = sys.argv[1:]
    found = list(globals()[f"{library}_methods"](dict(np.load(given)), int(seed)))
    np.savez(
        told,
        names=[each[0] for each in found],
        probabilities=np.array([each[1] for each in found]),
        seconds=[each[2] for each in found],
        scores=[" ".join(f"{k}={v:.4f}" for k, v in each[3].items()) for each in found],
    )
