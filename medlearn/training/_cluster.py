"""The devices that train: those of this machine, or the workers that TF_CONFIG names."""

import json
import os

from medlearn._keras import tf
from medlearn.training import _rendezvous

_EXAMPLE = (
    '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'
)


def strategy(wait: float = 120) -> "tf.distribute.Strategy":
    """Return the distribution strategy of this process.

    Build and compile the model in its ``scope()``. With the environment variable ``TF_CONFIG`` the
    strategy takes all workers that are named there: start one process for each with the same
    command, and call this function before any other operation of TensorFlow. Without it, the
    strategy takes all graphics cards, or all logical CPU devices, if there are several, and else
    the one device.

    Parameters
    ----------
    wait : float
        Seconds, at most, to wait for the other workers.

    Returns
    -------
    tf.distribute.Strategy
        Its ``num_replicas_in_sync`` is the number of devices that train together.

    Raises
    ------
    ValueError
        If TF_CONFIG does not name a cluster of workers.
    OSError
        If the port of this worker is taken.
    TimeoutError
        If another worker does not come; the message names it.
    RuntimeError
        If TensorFlow was used before in this process.
    """
    written = os.environ.get("TF_CONFIG")
    if written:
        workers, index = _read(written)
        if len(workers) > 1:
            _rendezvous.meet(workers, index, wait)
            return _all_workers()
    for device_type in ("GPU", "CPU"):
        devices = tf.config.list_logical_devices(device_type)
        if len(devices) > 1:
            return tf.distribute.MirroredStrategy([device.name for device in devices])
    return tf.distribute.get_strategy()


def is_chief(strategy: "tf.distribute.Strategy") -> bool:
    """Return whether this process writes and prints for all workers.

    That is the chief of the cluster, or worker 0 where there is no chief, or the only process.
    """
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    if resolver.task_type == "chief":
        return True
    return resolver.task_id == 0 and "chief" not in resolver.cluster_spec().jobs


def worker_count(strategy: "tf.distribute.Strategy") -> int:
    """Return how many processes the cluster of a strategy has; 0 without a cluster."""
    resolver = strategy.cluster_resolver
    if resolver is None:
        return 0
    return sum(len(tasks) for tasks in resolver.cluster_spec().as_dict().values())


def _all_workers() -> "tf.distribute.Strategy":
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        if "startup" not in str(error) and "initialized" not in str(error):
            raise
        raise RuntimeError(
            "Call training.strategy() first: TensorFlow already ran an operation in this process, "
            "and can join a cluster only before."
        ) from None


def _read(written: str) -> tuple[list[str], int]:
    """Return the addresses of all workers, the chief first, and the index of this one."""
    try:
        config = json.loads(written)
        cluster, task = config["cluster"], config["task"]
        task_type, index = task["type"], task["index"]
        chiefs = cluster.get("chief", [])
        workers = [*chiefs, *cluster["worker"]]
        ports = [int(worker.rpartition(":")[2]) for worker in workers]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(
            "TF_CONFIG does not name workers as host:port and the task of this one: "
            f"{written[:200]!r}; write it like {_EXAMPLE}."
        ) from None
    _check_task(cluster, task_type, index)
    if len(set(workers)) < len(workers) or not all(0 < port < 65536 for port in ports):
        raise ValueError(
            "Every worker in TF_CONFIG needs an address of its own, host:port, but they are "
            f"{', '.join(workers)}."
        )
    return workers, index + (len(chiefs) if task_type == "worker" else 0)


def _check_task(cluster: dict, task_type: str, index: int) -> None:
    if set(cluster) - {"chief", "worker"} or task_type not in ("chief", "worker"):
        raise ValueError(
            f"TF_CONFIG holds the task {task_type!r} and the jobs {', '.join(cluster)}; here every "
            "process is a worker, or the one chief."
        )
    count = len(cluster.get(task_type, []))
    if not isinstance(index, int) or not 0 <= index < count:
        raise ValueError(
            f"TF_CONFIG says that this is {task_type} {index!r}, but its cluster has {count} "
            f"{task_type}s, numbered from 0."
        )
