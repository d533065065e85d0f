"""A real server on 127.0.0.1 that cuts, stalls, trickles, lies about lengths, redirects and ignores ranges, as asked."""

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """Serves `content` at every path; breaks off after `cuts[0]`, `cuts[1]`, ... bytes; keeps the Range headers.

    delay: seconds before the body; pace: bytes per hundredth of a second, None for all at once; stall: bytes after
    which it goes silent; claim: a length to announce instead of the true one; redirect: where to send everybody.
    """

    def __init__(
        self,
        content,
        cuts=(),
        ranges=True,
        status=None,
        delay=0.0,
        pace=None,
        stall=None,
        claim=None,
        redirect=None,
    ):
        self.content, self.cuts, self.ranges, self.status, self.delay = (
            content,
            list(cuts),
            ranges,
            status,
            delay,
        )
        self.pace, self.stall, self.claim, self.redirect = pace, stall, claim, redirect
        self.asked, self.paths, self.finished = [], [], 0
        self.closing = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.answer(self)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}"

    def answer(self, request):
        asked = request.headers.get("Range")
        self.asked.append(asked)
        self.paths.append(request.path)
        if self.status:
            return request.send_error(self.status)
        if self.redirect and not request.path.startswith("/here"):
            request.send_response(302)
            request.send_header("Location", self.redirect)
            request.send_header("Content-Length", "0")
            return request.end_headers()
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.ranges else 0
        if start and start >= len(self.content):
            return request.send_error(416)
        body = self.content[start:]
        request.send_response(206 if start else 200)
        if start:
            request.send_header(
                "Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
            )
        request.send_header("Content-Length", str(len(body) if self.claim is None else self.claim))
        request.end_headers()
        time.sleep(self.delay)
        with contextlib.suppress(OSError):
            self.send(request.wfile, body[: self.cuts.pop(0)] if self.cuts else body)
            self.finished += 1

    def send(self, stream, body):
        if self.stall is not None:
            stream.write(body[: self.stall])
            stream.flush()
            self.closing.wait(60)
        elif self.pace:
            for start in range(0, len(body), self.pace):
                stream.write(body[start : start + self.pace])
                stream.flush()
                if self.closing.wait(0.01):
                    return
        else:
            stream.write(body)

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.http.shutdown()
        self.http.server_close()
