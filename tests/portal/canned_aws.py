"""An HTTP server that gives one prepared answer to all, for what the sandbox cannot be made to say."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Canned:
    """What is answered from now on; status 0 closes the connection instead."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "{}"
    requests: int = 0


@contextmanager
def canned_aws() -> Iterator[Canned]:
    """Listen on a free port until the block ends."""
    canned = Canned()

    class Handler(BaseHTTPRequestHandler):
        wbufsize = -1

        def do_POST(self) -> None:
            canned.requests += 1
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if canned.status == 0:
                self.close_connection = True
                return
            body = canned.body.encode()
            self.send_response(canned.status)
            for name, value in {**canned.headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    canned.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield canned
    finally:
        server.shutdown()
        server.server_close()
