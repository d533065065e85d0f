"""Which devices train: those of this machine, or those of the workers that the environment variable TF_CONFIG names."""

import json
import os
import socket
import time

from medlearn._keras import tf

_EXAMPLE = (
    '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'
)


def strategy(wait: float = 120) -> "tf.distribute.Strategy":
    """The strategy of this process; build and compile the model in its `scope()`.

    With TF_CONFIG: all its workers, one process each, started with the same command; this must come before any other
    operation of TensorFlow. Without: all graphics cards, or all logical CPU devices, if there are several; else the one
    device. wait: seconds, at most, for the other workers to come.

    Raises ValueError for a TF_CONFIG that names no cluster of workers, OSError if this worker's port is taken,
    TimeoutError, with its name, for a worker that does not come, and RuntimeError if TensorFlow was used before.
    """
    written = os.environ.get("TF_CONFIG")
    if written:
        workers, index = _read(written)
        if len(workers) > 1:
            _meet(workers, index, wait)
            return _all_workers()
    for kind in ("GPU", "CPU"):
        devices = tf.config.list_logical_devices(kind)
        if len(devices) > 1:
            return tf.distribute.MirroredStrategy([device.name for device in devices])
    return tf.distribute.get_strategy()


def _all_workers():
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        if "startup" not in str(error) and "initialized" not in str(error):
            raise
        raise RuntimeError(
            "Call training.strategy() first: TensorFlow already ran an operation in this process, and can "
            "join a cluster only before."
        ) from None


def _read(written: str) -> tuple[list[str], int]:
    """The workers' addresses and the place of this one among them."""
    try:
        config = json.loads(written)
        workers = [*config["cluster"].get("chief", []), *config["cluster"]["worker"]]
        kind, index = config["task"]["type"], config["task"]["index"]
        ports = [int(worker.rpartition(":")[2]) for worker in workers]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(
            f"TF_CONFIG does not name workers as host:port and the task of this one: {written[:200]!r}; "
            f"write it like {_EXAMPLE}."
        ) from None
    if set(config["cluster"]) - {"chief", "worker"} or kind not in ("chief", "worker"):
        raise ValueError(
            f"TF_CONFIG holds the task {kind!r} and the jobs {', '.join(config['cluster'])}; here every process is "
            "a worker, or the one chief."
        )
    if not isinstance(index, int) or not 0 <= index < len(config["cluster"].get(kind, [])):
        raise ValueError(
            f"TF_CONFIG says that this is {kind} {index!r}, but its cluster has {len(workers)} workers, "
            "numbered from 0."
        )
    if len(set(workers)) < len(workers) or not all(0 < port < 65536 for port in ports):
        raise ValueError(
            f"Every worker in TF_CONFIG needs an address of its own, host:port, but they are {', '.join(workers)}."
        )
    return workers, index + (len(config["cluster"].get("chief", [])) if kind == "worker" else 0)


def _meet(workers: list[str], index: int, wait: float) -> None:
    """Return when all workers are there. TensorFlow itself would wait for them for an hour, or share a taken port."""
    until, hello = time.monotonic() + wait, json.dumps(workers).encode() + b"\n"
    host, _, port = workers[index].rpartition(":")
    try:
        door = socket.create_server(("", int(port)), backlog=len(workers))
    except OSError as error:
        raise OSError(
            f"Worker {index} cannot listen at port {port} ({error.strerror}); is an older run still there? Stop it, "
            "or choose another port in every worker's TF_CONFIG."
        ) from None
    with door:
        if index == 0:
            _welcome(door, workers, hello, until, wait)
        else:
            _knock(workers, index, hello, until, wait)


def _welcome(door, workers: list[str], hello: bytes, until: float, wait: float) -> None:
    """Worker 0: wait until each of the others has said its number and the same cluster, then let all go on."""
    guests: dict[int, socket.socket] = {}
    try:
        while len(guests) < len(workers) - 1:
            door.settimeout(max(0.01, until - time.monotonic()))
            guest, _ = door.accept()
            guest.settimeout(max(0.01, min(5, until - time.monotonic())))
            number, _, cluster = _line(guest).partition(b" ")
            if cluster != hello or not number.isdigit():
                _send(guest, b"other\n")
                guest.close()
                raise ValueError(
                    "Another worker has another cluster in its TF_CONFIG; it must be the same for all but `task`."
                )
            guests[int(number)] = guest
        for guest in guests.values():
            _send(guest, b"go\n")
    except TimeoutError:
        missing = ", ".join(
            f"{place} ({worker})"
            for place, worker in enumerate(workers)
            if place and place not in guests
        )
        raise TimeoutError(
            f"Worker {missing} did not come within {wait:g} s; start the same command there, with the same "
            "cluster and its own index in TF_CONFIG."
        ) from None
    finally:
        for guest in guests.values():
            guest.close()


def _knock(workers: list[str], index: int, hello: bytes, until: float, wait: float) -> None:
    host, _, port = workers[0].rpartition(":")
    while time.monotonic() < until:
        try:
            with socket.create_connection(
                (host.strip("[]"), int(port)), timeout=max(0.01, until - time.monotonic())
            ) as chief:
                _send(chief, b"%d " % index + hello)
                answer = _line(chief)
        except socket.gaierror:
            raise ValueError(
                f"No machine is called {host!r}, which TF_CONFIG gives as worker 0."
            ) from None
        except OSError:  # not there yet
            answer = b""
        if answer == b"go\n":
            return
        if answer == b"other\n":
            raise ValueError(
                "Worker 0 has another cluster in its TF_CONFIG; it must be the same for all but `task`."
            )
        time.sleep(min(0.2, max(0.0, until - time.monotonic())))
    raise TimeoutError(
        f"Worker 0 ({workers[0]}) or one of the others did not come within {wait:g} s; start the same command "
        "there, with the same cluster and its own index in TF_CONFIG."
    )


def _send(to: socket.socket, line: bytes) -> None:
    to.sendall(line)


def _line(of: socket.socket) -> bytes:
    with of.makefile("rb") as stream:
        return stream.readline(65536)
