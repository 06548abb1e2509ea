"""Small pages over HTTP for programs: metrics, probes, state. Threads of their own answer; nothing is logged."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

IDLE_S = 60.0
"""A connection on which nothing is asked is closed after this time, and its thread ends."""
STOP_S = 0.1
"""So long a stop takes at most."""

Answer = tuple[int, str, bytes]
"""Status, content type, body."""


class HttpPages:
    """A thread a connection; each asks `answer` with the path of a request and its Authorization header."""

    def __init__(self, host: str, port: int, answer: Callable[[str, str], Answer]) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # connections are used again
            timeout = IDLE_S
            wbufsize = -1  # head and body leave together: in two packets the second waits 40 ms for the first's ACK
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                status, content_type, body = answer(self.path, self.headers.get("Authorization", ""))
                self.send_response_only(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(STOP_S,), name="pages", daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
