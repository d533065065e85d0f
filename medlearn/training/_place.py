"""Where a run stands, and how it is kept on disk and found again."""

import json
from pathlib import Path

from medlearn._keras import keras, tf

_STATE = "state/.ATTRIBUTES/VARIABLE_VALUE"


class Place:
    """Epoch and step (both count what is done), history, and the checkpoints in a folder, if one is given."""

    def __init__(
        self, model: keras.Model, folder: str | Path | None, strategy: "tf.distribute.Strategy"
    ):
        self.epoch, self.step, self.history = 0, 0, {}
        self._model, self._sums, self._strategy = model, [], strategy
        self._folder = None if folder is None else Path(folder)
        self._own = (
            None
            if folder is None
            else self._folder / ("" if is_chief(strategy) else _task(strategy))
        )
        self._saved = 0

    def add(self, loss, count) -> None:
        """One more step, with the sum of its losses and the number of its examples."""
        self.step += 1
        self._sums.append(tf.cast(tf.stack([loss, count]), tf.float64))

    def logs(self, model: keras.Model) -> dict[str, float]:
        """Loss and metrics of the epoch so far."""
        if not self._sums:
            raise ValueError(
                "The data hold no batch; a function of the epoch must give a new dataset each time."
            )
        loss, count = self._total()
        return {name: float(value) for name, value in model.get_metrics_result().items()} | {
            "loss": loss / count
        }

    def end_of_epoch(self, logs: dict[str, float]) -> None:
        """Write the epoch into the history, and keep it."""
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
        self.epoch, self.step, self._sums = self.epoch + 1, 0, []
        self.save()

    def save(self) -> None:
        """Keep everything, if there is a folder; the one before stays until the new one is complete."""
        if self._folder is None:
            return
        state = {
            "epoch": self.epoch,
            "step": self.step,
            "history": self.history,
            "sums": self._total(),
            "shapes": self._shapes(),
        }
        self._saved += 1
        checkpoint = self._checkpoint(tf.Variable(json.dumps(state)))
        tf.train.CheckpointManager(checkpoint, str(self._own), max_to_keep=2).save(
            checkpoint_number=self._saved
        )

    def restore(self) -> int:
        """Put everything back as the newest checkpoint has it; returns the number of epochs that are done."""
        newest = tf.train.latest_checkpoint(str(self._folder)) if self._folder else None
        if newest:
            state = json.loads(tf.train.load_checkpoint(newest).get_tensor(_STATE))
            if state["shapes"] != self._shapes():
                raise ValueError(
                    f"The checkpoint in {self._folder} is of another model or another set of trainable layers; "
                    "choose an empty folder, or build the same model."
                )
            self._checkpoint(tf.Variable("")).restore(newest).expect_partial()
            self.epoch, self.step, self.history = state["epoch"], state["step"], state["history"]
            self._sums, self._saved = (
                [tf.constant(state["sums"], tf.float64)] if self.step else [],
                int(newest.rpartition("-")[2]),
            )
        if self._folder:
            self._same_for_all()
        return self.epoch

    def _checkpoint(self, state: "tf.Variable") -> "tf.train.Checkpoint":
        parts = {
            "model": self._model.variables,
            "optimizer": self._model.optimizer.variables,
            "metrics": self._model.metrics_variables,
        }
        return tf.train.Checkpoint(
            state=state, **{name: [each.value for each in part] for name, part in parts.items()}
        )

    def _total(self) -> list[float]:
        return tf.reduce_sum(tf.stack(self._sums), 0).numpy().tolist() if self._sums else [0.0, 0.0]

    def _shapes(self) -> list[list[int]]:
        variables = [*self._model.variables, *self._model.optimizer.variables]
        return [list(variable.shape) for variable in variables]

    def _same_for_all(self) -> None:
        """Workers that found different checkpoints would go on from different weights."""
        strategy, mine = self._strategy, float(self._saved)
        if not workers(strategy):
            return

        @tf.function
        def mean():
            return strategy.reduce("MEAN", strategy.run(tf.constant, args=(mine,)), axis=None)

        if float(mean()) != mine:
            raise ValueError(
                f"The workers found different checkpoints in {self._folder}; it must be one folder that all of them "
                "see, on a shared disk."
            )


def workers(strategy: "tf.distribute.Strategy") -> int:
    """How many processes the strategy's cluster has; 0 without a cluster."""
    resolver = strategy.cluster_resolver
    return 0 if resolver is None else sum(map(len, resolver.cluster_spec().as_dict().values()))


def is_chief(strategy: "tf.distribute.Strategy") -> bool:
    """Whether this process speaks for all: it is alone, or the chief, or worker 0 where there is no chief."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    return resolver.task_type == "chief" or (
        resolver.task_id == 0 and "chief" not in resolver.cluster_spec().jobs
    )


def check(model, data, epochs, folder, every) -> None:
    """Raise ValueError, with one sentence, for what `fit` cannot train."""
    if (
        not isinstance(model, keras.Model)
        or getattr(model, "optimizer", None) is None
        or not model.compiled
    ):
        raise ValueError(
            "fit needs a model that is compiled, with an optimizer and a loss: model.compile(...)."
        )
    if not model.built:
        raise ValueError(
            f"{model.name} has no weights yet; give it an Input, or call it once, before fit."
        )
    if type(model).train_step is not keras.Model.train_step:
        raise ValueError(
            f"{type(model).__name__} has a train_step of its own, which this loop would pass by; use Keras `fit`, or "
            "put its losses into layers by add_loss."
        )
    clipped = [
        name
        for name in ("clipnorm", "clipvalue", "global_clipnorm")
        if _inner(model.optimizer, name)
    ]
    if clipped and model.distribute_strategy.num_replicas_in_sync > 1:
        raise ValueError(
            f"{clipped[0]} would clip each replica's gradient before they are added up, so the result would depend on "
            "their number; leave it out, or train with one."
        )
    if not isinstance(data, tf.data.Dataset) and not callable(data):
        raise ValueError(
            f"data is {type(data).__name__}; expected a tf.data.Dataset of batches or a function of the epoch to one, "
            "such as training.batches(images, labels)."
        )
    if folder is not None and not callable(data):
        raise ValueError(
            "With a folder, data must be a function of the epoch, so that a run that goes on finds its place in "
            "them: training.batches(...) makes one."
        )
    if every is not None and (folder is None or every < 1):
        raise ValueError(
            f"every={every!r} is the number of steps between two checkpoints, 1 or more, and needs a folder."
        )
    if epochs < 0:
        raise ValueError(f"epochs={epochs!r} is how often the data are seen: 0 or more.")


def _inner(optimizer, name: str):
    return getattr(getattr(optimizer, "inner_optimizer", optimizer), name, None)


def _task(strategy) -> str:
    return f"{strategy.cluster_resolver.task_type}-{strategy.cluster_resolver.task_id}"
