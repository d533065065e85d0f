"""Workers meet before TensorFlow starts.

TensorFlow itself would wait for an hour for a worker that is missing, and would share a port that
an older run still holds. Here worker 0 listens; every other worker sends its index and the cluster
that it knows from TF_CONFIG. When all have come and none has left, worker 0 lets them go on. It
hears all who connect at once, so that nobody holds up the others; who is no worker, such as a port
scanner, is passed over.
"""

import errno
import json
import selectors
import socket
import time
from contextlib import ExitStack, suppress

_GO, _OTHER_CLUSTER = b"go\n", b"other\n"
_WORKER = b"medlearn worker "  # what a worker says first
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)  # an address that another machine forwards
_LONGEST_LINE = 1 << 20  # bytes: a cluster of thousands of workers
_PART = 1 << 12  # bytes that are read at a time
_SENDING = 5  # seconds in which a connection takes a word


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
        If a worker does not come in time, or goes away again before all have come.
    ConnectionError
        If one goes away in the moment in which all have come.
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
    present: dict[int, socket.socket] = {}
    with ExitStack() as stack:
        callers = stack.enter_context(selectors.DefaultSelector())
        listener.setblocking(False)
        callers.register(listener, selectors.EVENT_READ)
        while len(present) < len(workers) - 1:
            if time.monotonic() >= deadline:
                absent = [index for index in range(1, len(workers)) if index not in present]
                return ", ".join(f"{index} ({workers[index]})" for index in absent)
            for key, _ in callers.select(_left(deadline)):
                if key.fileobj is listener:
                    _accept(listener, callers, stack)
                elif not _is_heard(workers, present, *key.data):
                    callers.unregister(key.fileobj)
                    key.data[0].close()
        for index, connection in present.items():
            _let_go(index, connection, workers)
    return ""


def _accept(listener: socket.socket, callers: selectors.BaseSelector, stack: ExitStack) -> None:
    """Let somebody in who calls, and keep what he will say beside the connection."""
    with suppress(OSError):  # gone before he was let in
        connection = stack.enter_context(listener.accept()[0])
        connection.settimeout(_SENDING)
        callers.register(connection, selectors.EVENT_READ, (connection, bytearray()))


def _is_heard(
    workers: list[str],
    present: dict[int, socket.socket],
    connection: socket.socket,
    line: bytearray,
) -> bool:
    """Take what a caller says now; one who goes, or says what no worker says, is let go."""
    try:
        part = connection.recv(_PART)
    except OSError:  # cut off
        part = b""
    line += part
    if part and b"\n" not in part and len(line) < _LONGEST_LINE:
        return True
    index = _greeted(connection, bytes(line), workers) if part else None
    if index is not None:
        present[index] = connection
        return True
    for index in [index for index, worker in present.items() if worker is connection]:
        del present[index]
    return False


def _greeted(connection: socket.socket, line: bytes, workers: list[str]) -> int | None:
    """Return the index of the worker that has connected; None for a caller that is no worker."""
    number, _, cluster = line.removeprefix(_WORKER).partition(b" ")
    if not line.startswith(_WORKER) or not line.endswith(b"\n") or not number.isdigit():
        return None
    if cluster == _cluster(workers):
        index = int(number[:9])
        return index if 0 < index < len(workers) else None
    with suppress(OSError):
        connection.sendall(_OTHER_CLUSTER)
    raise ValueError(
        "Another worker has another cluster in its TF_CONFIG; it must be the same for all but "
        "`task`."
    )


def _let_go(index: int, connection: socket.socket, workers: list[str]) -> None:
    try:
        connection.sendall(_GO)
    except OSError:
        raise ConnectionError(
            f"Worker {index} ({workers[index]}) came and went away again; start the same command "
            "on all workers."
        ) from None


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
            return _line(connection, deadline)
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


def _line(connection: socket.socket, deadline: float) -> bytes:
    """What the other side says until its line or the connection ends."""
    line = b""
    while not line.endswith(b"\n") and len(line) < _PART:
        if time.monotonic() >= deadline:
            raise TimeoutError
        connection.settimeout(_left(deadline))
        part = connection.recv(_PART)
        line += part
        if not part:
            break
    return line


def _left(deadline: float) -> float:
    """Seconds until the deadline, never zero: that would mean without waiting."""
    return max(0.01, deadline - time.monotonic())
