"""A server on 127.0.0.1 that cuts, stalls, trickles, lies, redirects, and ignores ranges."""

import contextlib
import threading
import time
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """Serves `content` at every path, and keeps the Range headers in `asked`.

    Parameters
    ----------
    content : bytes
        What it serves.
    cuts : iterable of int
        Numbers of bytes after which the first, the second, ... answer breaks off.
    ranges : bool
        Whether it answers to a range with that range.
    status : int, optional
        A status of error to answer with.
    delay : float
        Seconds before the body.
    pace : int, optional
        Bytes per hundredth of a second; all at once if not given.
    stall : int, optional
        Bytes after which it goes silent.
    claim : int, optional
        A length to announce instead of the true one.
    redirect : str, optional
        Where to send everybody.
    """

    def __init__(
        self,
        content: bytes,
        cuts: Iterable[int] = (),
        ranges: bool = True,
        status: int | None = None,
        delay: float = 0.0,
        pace: int | None = None,
        stall: int | None = None,
        claim: int | None = None,
        redirect: str | None = None,
    ):
        self.content = content
        self.cuts = list(cuts)
        self.ranges = ranges
        self.status = status
        self.delay = delay
        self.pace = pace
        self.stall = stall
        self.claim = claim
        self.redirect = redirect
        self.asked: list[str | None] = []
        self.paths: list[str] = []
        self.finished = 0
        self.closing = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self.http.server_port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server._answer(self)

            def log_message(self, *_):
                pass

        return Handler

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        header = request.headers.get("Range")
        self.asked.append(header)
        self.paths.append(request.path)
        if self.status:
            return request.send_error(self.status)
        if self.redirect and not request.path.startswith("/here"):
            return self._send_away(request)
        is_range = bool(header) and self.ranges
        start = int(header.removeprefix("bytes=").removesuffix("-")) if is_range else 0
        if start and start >= len(self.content):
            return request.send_error(416)
        body = self.content[start:]
        request.send_response(206 if start else 200)
        if start:
            last, total = len(self.content) - 1, len(self.content)
            request.send_header("Content-Range", f"bytes {start}-{last}/{total}")
        length = len(body) if self.claim is None else self.claim
        request.send_header("Content-Length", str(length))
        request.end_headers()
        time.sleep(self.delay)
        with contextlib.suppress(OSError):
            self._send(request.wfile, body[: self.cuts.pop(0)] if self.cuts else body)
            self.finished += 1

    def _send_away(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", self.redirect)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _send(self, stream, body: bytes) -> None:
        if self.stall is not None:
            stream.write(body[: self.stall])
            stream.flush()
            self.closing.wait(60)
        elif self.pace:
            self._trickle(stream, body)
        else:
            stream.write(body)

    def _trickle(self, stream, body: bytes) -> None:
        for start in range(0, len(body), self.pace):
            stream.write(body[start : start + self.pace])
            stream.flush()
            if self.closing.wait(0.01):
                return

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.http.shutdown()
        self.http.server_close()
