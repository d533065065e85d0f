"""Download one file over http: resumed where it broke off, bounded in size, quick to give up."""

import contextlib
import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from medlearn import _progress

if TYPE_CHECKING:
    import requests  # imported late: a fifth of a second that only a download needs

_CONNECT_SECONDS = 3.05  # to reach a server
_SILENCE_SECONDS = 15  # between two pieces of an answer
_WINDOW_SECONDS = 60  # in which at least _WINDOW_BYTES must come
_WINDOW_BYTES = 1 << 16
_PIECE = 1 << 14  # bytes: what a broken connection may cost
_BROKE_OFF = "broke off"
_TOO_SLOW = "sends too slowly"


def fetch(address: str, target: Path, limit: int, attempts: int = 3) -> Path:
    """Download a file; what has arrived survives a broken connection.

    pooch does not resume, so this calls `requests` itself. An answer that breaks off is continued
    where it stopped, in this call and in the next one. The file gets its name when it is whole.

    Parameters
    ----------
    address : str
        http or https.
    target : Path
        Where to save the file; its folder must exist.
    limit : int
        Largest size in bytes.
    attempts : int
        How often a connection may break off in this call.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    ConnectionError
        With the reason, if nothing (more) can be downloaded.
    ValueError
        If the file is larger than `limit`.
    """
    import requests

    host = urlsplit(without_login(address)).netloc
    if not _resolves(address):
        raise ConnectionError(f"{host} cannot be found")
    # One partial file per address: the same archive packed elsewhere has other bytes.
    address_hash = hashlib.sha256(address.encode()).hexdigest()[:8]
    partial = target.with_name(f"{target.name}.{address_hash}.partial")
    for _ in range(attempts):
        before = _size(partial)
        try:
            _resume(address, partial, limit)
        except requests.RequestException as error:
            if _size(partial) <= before:  # without the cause, whose text may hold a password
                raise ConnectionError(f"{host} {_reason(error)}") from None
        else:
            os.replace(partial, target)
            return target
    raise ConnectionError(f"{host} broke off after {_size(partial):,} bytes (load again to resume)")


def without_login(address: str) -> str:
    """Return an address as it may be shown: without a name and a password in it.

    Examples
    --------
    >>> without_login("https://name:password@host.example/a.zip")
    'https://host.example/a.zip'
    """
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _resume(address: str, partial: Path, limit: int) -> None:
    """Download what the partial file lacks."""
    import requests

    answer = _request(address, _size(partial))
    if answer.status_code == 416 and _size(partial):  # the partial file fits nothing
        answer.close()
        partial.unlink()
        answer = _request(address, 0)
    with answer:
        answer.raise_for_status()
        start = _first_byte(answer, _size(partial))
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length is not None else None
        _append(answer, partial, start, total, limit)
    if _size(partial) > limit:
        partial.unlink()
        raise ValueError(f"it is larger than the {limit:,} bytes that its card allows")
    if total is not None and _size(partial) < total:  # urllib3 1 ends a broken answer silently
        raise requests.ConnectionError(_BROKE_OFF)


def _request(address: str, start: int) -> "requests.Response":
    import requests

    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    timeout = (_CONNECT_SECONDS, _SILENCE_SECONDS)
    return requests.get(address, headers=headers, stream=True, timeout=timeout)


def _first_byte(answer: "requests.Response", requested: int) -> int:
    """Return where the answer begins: at the byte that was asked for, or at 0 without ranges."""
    content_range = answer.headers.get("Content-Range", "")
    is_partial = answer.status_code == 206 and content_range.startswith(f"bytes {requested}-")
    return requested if is_partial else 0


def _append(
    answer: "requests.Response", partial: Path, start: int, total: int | None, limit: int
) -> None:
    """Write what arrives behind the first `start` bytes, up to one piece beyond the limit."""
    host = urlsplit(without_login(answer.url)).netloc
    bar = _progress.bar(text=host, total=total, bytes=True)
    with open(partial, "ab" if start else "wb") as file, bar:
        bar.update(start)
        for piece in _pieces(answer):
            file.write(piece)
            bar.update(len(piece))
            if file.tell() > limit:
                return


def _pieces(answer: "requests.Response") -> Iterator[bytes]:
    """Yield what arrives; raise if the connection breaks off or is too slow."""
    import requests
    import urllib3

    # read1 returns what is there; urllib3 1 lacks it, and waits for whole pieces.
    read = getattr(answer.raw, "read1", answer.raw.read)
    window_start, window_bytes = time.monotonic(), 0
    try:
        while piece := read(_PIECE, decode_content=True):
            yield piece
            window_bytes += len(piece)
            if time.monotonic() - window_start > _WINDOW_SECONDS:
                if window_bytes < _WINDOW_BYTES:
                    raise requests.ConnectionError(_TOO_SLOW)
                window_start, window_bytes = time.monotonic(), 0
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(_BROKE_OFF) from error


def _resolves(address: str, seconds: float = 4) -> bool:
    """Say whether the host has an address; in a thread, because resolvers have no time limit."""
    parts = urlsplit(address)
    if parts.scheme in getproxies() and not proxy_bypass(parts.hostname or ""):
        return True  # the proxy resolves it
    addresses: list = []

    def resolve() -> None:
        with contextlib.suppress(OSError, ValueError):  # no such host, or no name of one
            addresses.extend(socket.getaddrinfo(parts.hostname, parts.port or parts.scheme))

    thread = threading.Thread(target=resolve, daemon=True)
    thread.start()
    thread.join(seconds)
    return bool(addresses)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _reason(error: "requests.RequestException") -> str:
    status = getattr(error.response, "status_code", None)
    if status:
        return f"answers {status}"
    return str(error) if str(error) in (_BROKE_OFF, _TOO_SLOW) else "does not answer"
