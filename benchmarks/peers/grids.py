"""Grids of SKADA, POT and ADAPT in their own environment: features in, probabilities out.

    python grids.py

Called by ../arena_peers.py, which writes lines "LIBRARY INPUTS OUTPUTS" to the standard input and
reads a line for each. Inputs, .npz: source (N, D), its labels (N,), held_out (H, D) of the source,
target (M, D), other (K, D). No label of the target is handed over. Outputs, .npz: names (methods,),
seconds, scores and errors as text, and the probabilities of held_out, target and other.

Each grid has eleven methods; with source only they are twelve, as many as ours. Names that begin
with "default" use the library's own settings; some of them fail and stand beside the grid.
Entropies of optimal transport are in units of the median cost.
"""

from collections.abc import Callable, Iterator
import os
import sys
import time

os.environ["TF_USE_LEGACY_KERAS"] = "1"
from fit import score_or_nan
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

PREDICTED = ("held_out", "target", "other")
EPOCHS, BATCH, UNITS = 20, 32, 64
Predict = Callable[[np.ndarray, bool], np.ndarray]  # of features, and whether of the source
Scores = dict[str, float]
Method = Callable[[dict[str, np.ndarray]], tuple[Predict, Callable[[], Scores]]]


def probe() -> LogisticRegression:
    """Return the classifier that our own candidates use."""
    return LogisticRegression(C=0.03, max_iter=2000)


def no_scores() -> Scores:
    """Return the label-free scores of a library that offers none."""
    return {}


# ---- SKADA ---------------------------------------------------------------------------------------


def skada_grid() -> dict[str, Method]:
    """Return SKADA's methods by their names."""
    import skada

    scaler = skada.PerDomain(StandardScaler())
    adapters = {
        "source only": (),
        "default CORAL": (skada.CORALAdapter(),),
        "default OT": (skada.OTMappingAdapter(),),
        "default OT, entropic": (skada.EntropicOTMappingAdapter(),),
        "subspace, 20 axes": (skada.SubspaceAlignmentAdapter(n_components=20),),
        "subspace, 50 axes": (skada.SubspaceAlignmentAdapter(n_components=50),),
        "OT, entropic, .05": (skada.EntropicOTMappingAdapter(reg_e=0.05, norm="median"),),
        "OT, entropic, .1": (skada.EntropicOTMappingAdapter(reg_e=0.1, norm="median"),),
        "OT, linear, 1": (skada.LinearOTMappingAdapter(reg=1.0),),
        "scaler per domain": (scaler,),
        "scaler per domain, CORAL": (scaler, skada.CORALAdapter()),
        "scaler per domain, OT": (scaler, skada.OTMappingAdapter()),
        "default subspace (beside the grid)": (skada.SubspaceAlignmentAdapter(),),
        "default OT, classes (beside the grid)": (skada.ClassRegularizerOTMappingAdapter(),),
        "default OT, linear (beside the grid)": (skada.LinearOTMappingAdapter(),),
    }
    return {name: _skada_method(steps) for name, steps in adapters.items()}


def _skada_method(steps: tuple) -> Method:
    def fit(data: dict[str, np.ndarray]) -> tuple[Predict, Callable[[], Scores]]:
        from skada import make_da_pipeline

        features = np.concatenate([data["source"], data["target"]])
        hidden = np.full(len(data["target"]), -1)
        labels = np.concatenate([data["source_labels"], hidden])
        domains = np.repeat([1, -2], [len(data["source"]), len(data["target"])])
        model = make_da_pipeline(*steps, probe()).fit(features, labels, sample_domain=domains)

        def predict(features: np.ndarray, is_source: bool) -> np.ndarray:
            domain = np.full(len(features), 1 if is_source else -2)
            return model.predict_proba(features, sample_domain=domain, allow_source=True)

        return predict, lambda: _skada_scores(model, features, labels, domains)

    return fit


def _skada_scores(model, features, labels, domains) -> Scores:
    from skada import metrics

    scorers = {
        "entropy": metrics.PredictionEntropyScorer(),
        "neighbourhood": metrics.SoftNeighborhoodDensity(),
        "embedded": metrics.DeepEmbeddedValidation(random_state=0),
        "circular": metrics.CircularValidation(),
    }
    return {
        name: score_or_nan(scorer, model, features, labels, sample_domain=domains)
        for name, scorer in scorers.items()
    }


# ---- POT -----------------------------------------------------------------------------------------


def pot_grid() -> dict[str, Method]:
    """Return POT's transports by their names."""
    from ot import da

    transports = {
        "source only": _Unmoved(),
        "default exact": da.EMDTransport(),
        "default Sinkhorn": da.SinkhornTransport(),
        "linear, .1": da.LinearTransport(reg=0.1),
        "linear, 1": da.LinearTransport(reg=1.0),
        "group lasso, .05": da.SinkhornLpl1Transport(reg_e=0.05, norm="median"),
        "group lasso, .1": da.SinkhornLpl1Transport(reg_e=0.1, norm="median"),
        "unbalanced, .05": da.UnbalancedSinkhornTransport(reg_e=0.05, reg_m=1.0, norm="median"),
        "default group lasso (beside the grid)": da.SinkhornLpl1Transport(),
        "default linear (beside the grid)": da.LinearTransport(),
    }
    for entropy in (0.02, 0.05, 0.1, 0.2):
        name = f"Sinkhorn, {entropy:g}".replace("0.", ".")
        transports[name] = da.SinkhornTransport(reg_e=entropy, norm="median", max_iter=2000)
    return {name: _pot_method(transport) for name, transport in transports.items()}


class _Unmoved:
    """A transport that leaves everything where it is."""

    def fit(self, **arrays: np.ndarray) -> None:
        """Nothing is learned."""

    def transform(self, Xs: np.ndarray) -> np.ndarray:
        """Return the features."""
        return Xs


def _pot_method(transport) -> Method:
    def fit(data: dict[str, np.ndarray]) -> tuple[Predict, Callable[[], Scores]]:
        transport.fit(Xs=data["source"], ys=data["source_labels"], Xt=data["target"])
        classifier = probe().fit(transport.transform(Xs=data["source"]), data["source_labels"])

        def predict(features: np.ndarray, is_source: bool) -> np.ndarray:
            moved = transport.transform(Xs=features) if is_source else features
            return classifier.predict_proba(moved)

        return predict, no_scores

    return fit


# ---- ADAPT ---------------------------------------------------------------------------------------


def adapt_grid() -> dict[str, Method]:
    """Return ADAPT's methods by their names."""
    from adapt import feature_based, instance_based

    return {
        "source only": _adapt_nothing,
        "default CORAL": _adapt_method(feature_based.CORAL),
        "default subspace": _adapt_method(feature_based.SA),
        "default kernel mean matching": _adapt_method(instance_based.KMM),
        "default DANN": _adapt_network(feature_based.DANN),
        "default DeepCORAL": _adapt_network(feature_based.DeepCORAL),
        "default CDAN": _adapt_network(feature_based.CDAN),
        "default MCD": _adapt_network(feature_based.MCD),
        "subspace, 20 axes": _adapt_method(feature_based.SA, n_components=20),
        "scaled per domain, CORAL": _scaled(_adapt_method(feature_based.CORAL)),
        "scaled per domain, DANN": _scaled(_adapt_network(feature_based.DANN)),
        "scaled per domain, DeepCORAL, .01": _scaled(
            _adapt_network(feature_based.DeepCORAL, lambda_=0.01)
        ),
    }


def _scaled(method: Method) -> Method:
    """The same method on features that are standardised in each domain."""

    def fit(data: dict[str, np.ndarray]) -> tuple[Predict, Callable[[], Scores]]:
        source = StandardScaler().fit(data["source"])
        target = StandardScaler().fit(data["target"])
        scaled = {"source": source.transform(data["source"])}
        scaled["target"] = target.transform(data["target"])
        predict, score = method(data | scaled)

        def predict_scaled(features: np.ndarray, is_source: bool) -> np.ndarray:
            return predict((source if is_source else target).transform(features), is_source)

        return predict_scaled, score

    return fit


def _adapt_nothing(data: dict[str, np.ndarray]) -> tuple[Predict, Callable[[], Scores]]:
    classifier = probe().fit(data["source"], data["source_labels"])

    def embed(features: np.ndarray, is_source: bool) -> np.ndarray:
        return features

    def predict(features: np.ndarray, is_source: bool) -> np.ndarray:
        return classifier.predict_proba(features)

    return predict, lambda: _adapt_scores(embed, data)


def _adapt_method(method: type, **options) -> Method:
    def fit(data: dict[str, np.ndarray]) -> tuple[Predict, Callable[[], Scores]]:
        model = method(probe(), Xt=data["target"], verbose=0, random_state=0, **options)
        model.fit(data["source"], data["source_labels"])

        def embed(features: np.ndarray, is_source: bool) -> np.ndarray:
            if not hasattr(model, "transform"):
                return features
            return model.transform(features, domain="src" if is_source else "tgt")

        def predict(features: np.ndarray, is_source: bool) -> np.ndarray:
            return model.estimator_.predict_proba(embed(features, is_source))

        return predict, lambda: _adapt_scores(embed, data)

    return fit


def _adapt_network(method: type, **options) -> Method:
    def fit(data: dict[str, np.ndarray]) -> tuple[Predict, Callable[[], Scores]]:
        import tensorflow as tf

        tf.keras.backend.clear_session()
        tf.keras.utils.set_random_seed(0)
        layers, classes = tf.keras.layers, int(data["source_labels"].max()) + 1
        shape = data["source"].shape[1:]
        encoder = tf.keras.Sequential([layers.Input(shape), layers.Dense(UNITS, "relu")])
        task = tf.keras.Sequential([layers.Input((UNITS,)), layers.Dense(classes, "softmax")])
        model = method(
            encoder,
            task,
            Xt=data["target"].astype("float32"),
            verbose=0,
            random_state=0,
            loss="categorical_crossentropy",
            optimizer="adam",
            **options,
        )
        one_hot = np.eye(classes, dtype="float32")[data["source_labels"]]
        source = data["source"].astype("float32")
        model.fit(source, one_hot, epochs=EPOCHS, batch_size=BATCH, verbose=0)

        def embed(features: np.ndarray, is_source: bool) -> np.ndarray:
            return np.asarray(model.encoder_(features.astype("float32")))

        def predict(features: np.ndarray, is_source: bool) -> np.ndarray:
            return np.asarray(model.task_(model.encoder_(features.astype("float32"))))

        return predict, lambda: _adapt_scores(embed, data)

    return fit


def _adapt_scores(embed: Callable, data: dict[str, np.ndarray]) -> Scores:
    from adapt import metrics

    features = embed(data["source"], True), embed(data["target"], False)
    return {"covariance": -score_or_nan(metrics.cov_distance, *features)}


# ---- the worker ----------------------------------------------------------------------------------


GRIDS = {"skada": skada_grid, "pot": pot_grid, "adapt": adapt_grid}


def results(grid: dict[str, Method], data: dict[str, np.ndarray]) -> Iterator[dict]:
    """Yield what each method of a grid gives; a method that raises gives NaN and its error.

    Parameters
    ----------
    grid : dict
        Methods by their names.
    data : dict
        The arrays that were handed over.
    """
    classes = int(data["source_labels"].max()) + 1
    for name, fit in grid.items():
        start = time.process_time()
        result = {"names": name, "scores": "", "errors": ""}
        try:
            predict, score = fit(data)
            for part in PREDICTED:
                result[part] = predict(data[part], part == "held_out")
            result["seconds"] = time.process_time() - start
            result["scores"] = as_text(score())
        except Exception as error:
            result["errors"] = f"{type(error).__name__}: {str(error)[:120]}"
            result["seconds"] = time.process_time() - start
            result |= {part: np.full((len(data[part]), classes), np.nan) for part in PREDICTED}
        yield result


def as_text(scores: Scores) -> str:
    """Return scores as text, such as "entropy=-0.2107 circular=0.8812"."""
    return " ".join(f"{name}={value:.4f}" for name, value in scores.items())


def main() -> None:
    """Answer each line of the standard input; nothing else is printed to the standard output."""
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        library, inputs, outputs = line.rstrip("\n").split("\t")
        rows = list(results(GRIDS[library](), dict(np.load(inputs))))
        np.savez(outputs, **{key: np.array([row[key] for row in rows]) for key in rows[0]})
        print("done", file=answers, flush=True)


if __name__ == "__main__":
    main()
