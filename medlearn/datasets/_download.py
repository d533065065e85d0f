"""One file over http: resumed where it broke off, bounded in size, quick to say that there is no network."""

import contextlib
import hashlib
import os
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from medlearn import _progress

_CONNECT, _SILENCE = 3.05, 15  # seconds: to reach a server, and between two pieces of an answer
_WINDOW, _LEAST = 60, 1 << 16  # seconds in which so many bytes must come: slower is no connection
_BROKEN, _SLOW = "broke off", "sends too slowly"
_PIECE = 1 << 14  # bytes: what a broken connection may cost


def fetch(address: str, target: Path, limit: int, attempts: int = 3) -> Path:
    """Download `address` to `target` and return it; what has arrived survives a broken connection.

    pooch does not resume, so this speaks to `requests` itself. An answer that breaks off is asked for again from
    where it stopped, here and at the next call; the file gets its name only when it is whole.
    Raises ConnectionError with the reason if nothing (more) can be had, ValueError beyond `limit` bytes.
    """
    import requests  # late: a fifth of a second that only a download needs to pay

    host = urlsplit(address).netloc
    if not _found(address):
        raise ConnectionError(f"{host} cannot be found")
    # One partial file per address: the same archive zipped elsewhere has other bytes.
    partial = target.with_name(
        f"{target.name}.{hashlib.sha256(address.encode()).hexdigest()[:8]}.partial"
    )
    for _ in range(attempts):
        before = _size(partial)
        try:
            _continue(address, partial, limit)
            os.replace(partial, target)
            return target
        except requests.RequestException as error:
            if _size(partial) <= before:
                raise ConnectionError(f"{host} {_reason(error)}") from error
    raise ConnectionError(f"{host} broke off after {_size(partial):,} bytes (load again to resume)")


def _continue(address: str, partial: Path, limit: int) -> None:
    import requests

    have = _size(partial)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(
        address, headers=headers, stream=True, timeout=(_CONNECT, _SILENCE)
    ) as answer:
        if answer.status_code == 416 and have:  # what we have is not the beginning of what there is
            partial.unlink()
            return _continue(address, partial, limit)
        answer.raise_for_status()
        resumed = (
            answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            and answer.status_code == 206
        )
        start = have if resumed else 0
        whole = (
            start + int(answer.headers["Content-Length"])
            if "Content-Length" in answer.headers
            else None
        )
        with (
            open(partial, "ab" if resumed else "wb") as file,
            _progress.bar(text=urlsplit(address).netloc, total=whole, bytes=True) as bar,
        ):
            bar.update(start)
            for piece in _pieces(answer):
                file.write(piece)
                bar.update(len(piece))
                if file.tell() > limit:
                    break
    if _size(partial) > limit:
        partial.unlink()
        raise ValueError(f"it is larger than the {limit:,} bytes that its card allows")
    if (
        whole is not None and _size(partial) < whole
    ):  # older urllib3 ends a broken answer without a word
        raise requests.ConnectionError(_BROKEN)


def _pieces(answer):
    """What arrives, as it arrives; raises requests.ConnectionError if it breaks off or trickles in too slowly."""
    import requests
    import urllib3

    read = getattr(
        answer.raw, "read1", answer.raw.read
    )  # urllib3 1 has no read1, and waits for whole pieces
    began, came = time.monotonic(), 0
    try:
        while piece := read(_PIECE, decode_content=True):
            came += len(piece)
            yield piece
            if time.monotonic() - began > _WINDOW:
                if came < _LEAST:
                    raise requests.ConnectionError(_SLOW)
                began, came = time.monotonic(), 0
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(_BROKEN) from error


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _found(address: str, seconds: float = 4) -> bool:
    """Whether the host has an address; asked in a thread because the resolver has no time limit of its own."""
    parts = urlsplit(address)
    if parts.scheme in getproxies() and not proxy_bypass(parts.hostname):
        return True  # the proxy will look it up
    answers = []

    def ask():
        with contextlib.suppress(OSError):
            answers.extend(socket.getaddrinfo(parts.hostname, parts.port or parts.scheme))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return bool(answers)


def _reason(error) -> str:
    status = getattr(error.response, "status_code", None)
    if status:
        return f"answers {status}"
    return str(error) if str(error) in (_BROKEN, _SLOW) else "does not answer"
