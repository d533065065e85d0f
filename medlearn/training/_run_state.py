"""How far a run has come: kept in checkpoints, and restored from them."""

import json
import re
import shutil
import warnings
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from medlearn._keras import keras, tf
from medlearn.training import _cluster, _folder, _setting

_STATE = "state/.ATTRIBUTES/VARIABLE_VALUE"
_DAMAGED = (tf.errors.OpError, json.JSONDecodeError, UnicodeDecodeError, IndexError, RuntimeError)


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
    setting : dict, optional
        What the run was set up with, see `_setting.of`; a run with another one does not go on.

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
        self,
        model: keras.Model,
        folder: str | Path | None,
        strategy: "tf.distribute.Strategy",
        setting: dict[str, Any] | None = None,
    ):
        self.epoch = 0
        self.step = 0
        self.history: dict[str, list[float]] = {}
        self._model = model
        self._strategy = strategy
        self._setting = setting or {}
        self._folder = None if folder is None else Path(folder)
        self._sums: list[tf.Tensor] = []  # per step: sum of the losses, number of examples
        self._saved = 0  # number of the newest checkpoint

    def alone(self) -> AbstractContextManager[None]:
        """Keep other trainings out of the folder, if there is one."""
        if self._folder is None:
            return nullcontext()
        return _folder.alone(self._folder, self._subfolder() or "training")

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
        self._check_finite()
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
        self.epoch += 1
        self.step = 0
        self._sums = []
        self.save()

    def save(self) -> None:
        """Write a checkpoint, if there is a folder; the one before stays until it is complete.

        Raises
        ------
        OSError
            If it cannot be written, as on a full disk.
        """
        if self._folder is None:
            return
        self._check_finite()
        state = {
            "epoch": self.epoch,
            "step": self.step,
            "history": self.history,
            "sums": self._total(),
            "shapes": self._shapes(),
            "setting": self._setting,
        }
        self._saved += 1
        checkpoint = self._checkpoint(tf.Variable(json.dumps(state)))
        folder = self._folder / self._subfolder()
        try:
            _folder.mend_list(folder)
            manager = tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=2)
            manager.save(checkpoint_number=self._saved)
        except (tf.errors.OpError, OSError) as error:
            shutil.rmtree(folder / f"ckpt-{self._saved}_temp", ignore_errors=True)
            raise OSError(
                f"Checkpoint {self._saved} cannot be written to {folder} ({_reason(error)}); the "
                "one before stays. Make room, then start again: the run goes on from there."
            ) from error

    def restore(self) -> int:
        """Take over the newest sound checkpoint, if there is one; return the epochs done.

        Raises
        ------
        ValueError
            If the folder's checkpoints are of another run, or if none of them can be read.
        """
        if self._folder is None:
            return self.epoch
        paths, newest = _folder.paths(self._folder), _folder.newest_name(self._folder)
        for path in paths:
            try:
                self._restore_from(path)
            except _DAMAGED:
                continue
            if newest not in (None, Path(path).name):
                self._say_where(path, newest)
            break
        else:
            if paths or newest is not None:
                raise ValueError(
                    f"No checkpoint in {self._folder} can be read: they are damaged or were moved. "
                    "Bring them back, or choose an empty folder to begin anew."
                )
        self._check_same_for_all_workers()
        return self.epoch

    def _say_where(self, path: str, newest: str) -> None:
        """Warn that the run does not go on from what TensorFlow's list calls the newest."""
        problem, checkpoint = "The newest checkpoint in", "the one before"
        if not newest:
            problem = f"TensorFlow's list of checkpoints, the file {_folder.LIST!r} in"
            checkpoint = f"{Path(path).name}, the newest sound one"
        warnings.warn(
            f"{problem} {self._folder} is damaged or missing, so the run goes on from "
            f"{checkpoint}: epoch {self.epoch + 1}, step {self.step}.",
            stacklevel=4,
        )

    def _restore_from(self, path: str) -> None:
        state = json.loads(tf.train.load_checkpoint(path).get_tensor(_STATE))
        if state["shapes"] != self._shapes():
            raise ValueError(
                f"The checkpoint in {self._folder} is of another model or another set of trainable "
                "layers; choose an empty folder, or build the same model."
            )
        changes = _setting.differences(state.get("setting") or self._setting, self._setting)
        if changes and self._setting:
            raise ValueError(
                f"The checkpoint in {self._folder} is of a run with another setting: "
                f"{'; '.join(changes)}. Go on with the same setting, or choose an empty folder."
            )
        self._checkpoint(tf.Variable("")).restore(path).expect_partial()
        self.epoch = state["epoch"]
        self.step = state["step"]
        self.history = state["history"]
        self._sums = [tf.constant(state["sums"], tf.float64)] if self.step else []
        self._saved = _folder.number(path)

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

    def _check_finite(self) -> None:
        """Raise ValueError before a loss or weights that are not finite replace good ones."""
        name = "" if np.isfinite(self._total()).all() else "The loss"
        for variable in self._model.variables:
            if variable.dtype != "string" and not np.isfinite(variable.numpy()).all():
                name = variable.path
                break
        if name:
            kept = f" The checkpoint before stays in {self._folder}." if self._folder else ""
            raise ValueError(
                f"{name} is not finite after step {self.step} of epoch {self.epoch + 1}: look for "
                "NaN among the images and labels, or try a lower learning rate." + kept
            )

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


def _reason(error: Exception) -> str:
    """What the system said, without TensorFlow's own words around it."""
    text = getattr(error, "message", None) or str(error)
    return re.sub(r"\{\{.*?\}\} ?| \[Op:.*?\].*", "", text).strip().splitlines()[0]
