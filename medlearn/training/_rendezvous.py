"""Workers meet before TensorFlow starts.

TensorFlow itself would wait for an hour for a worker that is missing, and would share a port that
an older run still holds. Here worker 0 listens; every other worker sends its index and the cluster
that it knows from TF_CONFIG. When all have come, worker 0 lets them go on. Who connects and is no
worker, such as a port scanner, is passed over.
"""

import errno
import json
import socket
import time
from contextlib import ExitStack

_GO, _OTHER_CLUSTER = b"go\n", b"other\n"
_WORKER = b"medlearn worker "  # what a worker says first
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)  # an address that another machine forwards
_LONGEST_LINE = 1 << 20  # bytes: a cluster of thousands of workers
_GREETING = 5  # seconds that a new connection has to say who it is


def meet(workers: list[str], index: int, wait: float) -> None:
    """Return when all workers have come.

    Parameters
    ----------
    workers : list of str
        The address of every worker, host:port.
    index : int
        Which of them this process is.
    wait : float
        Seconds, at most.

    Raises
    ------
    OSError
        If the port of this worker is taken.
    ValueError
        If another worker has another cluster, or the machine of worker 0 does not exist.
    TimeoutError
        If a worker does not come in time.
    """
    deadline = time.monotonic() + wait
    with _listen(workers, index) as listener:
        if index == 0:
            missing = _gather(listener, workers, deadline)
        else:
            missing = _join(workers, index, deadline)
    if missing:
        raise TimeoutError(
            f"Worker {missing} did not come within {wait:g} s; start the same command there, with "
            "the same cluster and its own index in TF_CONFIG."
        )


def _listen(workers: list[str], index: int) -> socket.socket:
    """Listen at the address that the cluster gives; at all where another machine forwards it."""
    host, port = _host_and_port(workers[index])
    try:
        try:
            return _server(host, port, len(workers))
        except OSError as error:
            if not isinstance(error, socket.gaierror) and error.errno not in _NOT_HERE:
                raise
            return _server("", port, len(workers))
    except OSError as error:
        raise OSError(
            f"Worker {index} cannot listen at port {port} ({error.strerror}); is an older run "
            "still there? Stop it, or choose another port in every worker's TF_CONFIG."
        ) from None


def _server(host: str, port: int, workers: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=max(workers, 16))


def _gather(listener: socket.socket, workers: list[str], deadline: float) -> str:
    """Wait until all other workers have come, and let them go on; return those that have not."""
    connections: dict[int, socket.socket] = {}
    with ExitStack() as stack:
        while len(connections) < len(workers) - 1:
            listener.settimeout(_left(deadline))
            try:
                connection = stack.enter_context(listener.accept()[0])
            except TimeoutError:
                absent = [index for index in range(1, len(workers)) if index not in connections]
                return ", ".join(f"{index} ({workers[index]})" for index in absent)
            connection.settimeout(min(_GREETING, _left(deadline)))
            index = _greeted(connection, workers)
            if index is not None:
                connections[index] = connection
        for connection in connections.values():
            connection.sendall(_GO)
    return ""


def _greeted(connection: socket.socket, workers: list[str]) -> int | None:
    """Return the index of the worker that has connected; None for a caller that is no worker."""
    try:
        line = _line(connection)
    except OSError:
        return None
    number, _, cluster = line.removeprefix(_WORKER).partition(b" ")
    if not line.startswith(_WORKER) or not number.isdigit():
        return None
    if cluster == _cluster(workers):
        index = int(number[:9])
        return index if 0 < index < len(workers) else None
    connection.sendall(_OTHER_CLUSTER)
    raise ValueError(
        "Another worker has another cluster in its TF_CONFIG; it must be the same for all but "
        "`task`."
    )


def _join(workers: list[str], index: int, deadline: float) -> str:
    """Tell worker 0 that this worker is here, until it answers; return who is missing."""
    while time.monotonic() < deadline:
        answer = _answer(workers, index, deadline)
        if answer == _GO:
            return ""
        if answer == _OTHER_CLUSTER:
            raise ValueError(
                "Worker 0 has another cluster in its TF_CONFIG; it must be the same for all but "
                "`task`."
            )
        time.sleep(min(0.2, _left(deadline)))
    return f"0 ({workers[0]}) or another one"


def _answer(workers: list[str], index: int, deadline: float) -> bytes:
    """Return the answer of worker 0; nothing if it is not there yet."""
    host, port = _host_and_port(workers[0])
    try:
        with socket.create_connection((host, port), timeout=_left(deadline)) as connection:
            connection.sendall(_WORKER + b"%d " % index + _cluster(workers))
            return _line(connection)
    except socket.gaierror:
        raise ValueError(
            f"No machine is called {host!r}, which TF_CONFIG gives as worker 0."
        ) from None
    except OSError:
        return b""


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _cluster(workers: list[str]) -> bytes:
    return json.dumps(workers).encode() + b"\n"


def _line(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as stream:
        return stream.readline(_LONGEST_LINE)


def _left(deadline: float) -> float:
    """Seconds until the deadline, never zero: that would mean without waiting."""
    return max(0.01, deadline - time.monotonic())
