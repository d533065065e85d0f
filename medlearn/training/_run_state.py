"""How far a run has come: kept in checkpoints, and restored from them."""

import json
from pathlib import Path

from medlearn._keras import keras, tf
from medlearn.training import _cluster

_STATE = "state/.ATTRIBUTES/VARIABLE_VALUE"


class RunState:
    """The epochs and steps that are done, the history, and the checkpoints of a run.

    Parameters
    ----------
    model : keras.Model
        Compiled and built.
    folder : str or Path, optional
        Where checkpoints go. Without it, `save` and `restore` do nothing.
    strategy : tf.distribute.Strategy
        The strategy of the model.

    Attributes
    ----------
    epoch : int
        Epochs that are done.
    step : int
        Steps of the present epoch that are done.
    history : dict of str to list of float
        One number per epoch that is done, for the loss and each metric.
    """

    def __init__(
        self, model: keras.Model, folder: str | Path | None, strategy: "tf.distribute.Strategy"
    ):
        self.epoch = 0
        self.step = 0
        self.history: dict[str, list[float]] = {}
        self._model = model
        self._strategy = strategy
        self._folder = None if folder is None else Path(folder)
        self._sums: list[tf.Tensor] = []  # per step: sum of the losses, number of examples
        self._saved = 0  # number of the newest checkpoint

    def add_step(self, loss: "tf.Tensor", count: "tf.Tensor") -> None:
        """Count one more step.

        Parameters
        ----------
        loss : scalar tensor
            Sum of the losses of its examples.
        count : scalar tensor
            Number of its examples.
        """
        self.step += 1
        self._sums.append(tf.cast(tf.stack([loss, count]), tf.float64))

    def logs(self) -> dict[str, float]:
        """Return the loss and the metrics of the present epoch."""
        if not self._sums:
            raise ValueError(
                "The data hold no batch; a function of the epoch must give a new dataset each time."
            )
        loss, count = self._total()
        metrics = self._model.get_metrics_result()
        return {name: float(value) for name, value in metrics.items()} | {"loss": loss / count}

    def end_epoch(self, logs: dict[str, float]) -> None:
        """Write the numbers of the epoch into the history, and save."""
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
        self.epoch += 1
        self.step = 0
        self._sums = []
        self.save()

    def save(self) -> None:
        """Write a checkpoint, if there is a folder; the one before stays until it is complete."""
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
        folder = self._folder / self._subfolder()
        manager = tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=2)
        manager.save(checkpoint_number=self._saved)

    def restore(self) -> int:
        """Take over the newest checkpoint, if there is one; return the epochs that are done."""
        if self._folder is None:
            return self.epoch
        newest = tf.train.latest_checkpoint(str(self._folder))
        if newest:
            self._restore_from(newest)
        self._check_same_for_all_workers()
        return self.epoch

    def _restore_from(self, path: str) -> None:
        state = json.loads(tf.train.load_checkpoint(path).get_tensor(_STATE))
        if state["shapes"] != self._shapes():
            raise ValueError(
                f"The checkpoint in {self._folder} is of another model or another set of trainable "
                "layers; choose an empty folder, or build the same model."
            )
        self._checkpoint(tf.Variable("")).restore(path).expect_partial()
        self.epoch = state["epoch"]
        self.step = state["step"]
        self.history = state["history"]
        self._sums = [tf.constant(state["sums"], tf.float64)] if self.step else []
        self._saved = int(path.rpartition("-")[2])

    def _checkpoint(self, state: "tf.Variable") -> "tf.train.Checkpoint":
        return tf.train.Checkpoint(
            state=state,
            model=[variable.value for variable in self._model.variables],
            optimizer=[variable.value for variable in self._model.optimizer.variables],
            metrics=[variable.value for variable in self._model.metrics_variables],
        )

    def _subfolder(self) -> str:
        """All workers must write; only the checkpoints of the chief are read."""
        if _cluster.is_chief(self._strategy):
            return ""
        resolver = self._strategy.cluster_resolver
        return f"{resolver.task_type}-{resolver.task_id}"

    def _total(self) -> list[float]:
        if not self._sums:
            return [0.0, 0.0]
        return tf.reduce_sum(tf.stack(self._sums), 0).numpy().tolist()

    def _shapes(self) -> list[list[int]]:
        variables = [*self._model.variables, *self._model.optimizer.variables]
        return [list(variable.shape) for variable in variables]

    def _check_same_for_all_workers(self) -> None:
        """Raise ValueError if workers found different checkpoints: their weights would differ."""
        strategy, saved = self._strategy, float(self._saved)
        if not _cluster.worker_count(strategy):
            return

        @tf.function
        def mean():
            return strategy.reduce("MEAN", strategy.run(tf.constant, args=(saved,)), axis=None)

        if float(mean()) != saved:
            raise ValueError(
                f"The workers found different checkpoints in {self._folder}; it must be one folder "
                "that all of them see, on a shared disk."
            )
