"""An HTTP server that gives one prepared answer to all, for what the sandbox cannot be made to say."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    "<Arn>arn:aws:iam::111111111111:user/portal</Arn><UserId>AIDA</UserId><Account>111111111111</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


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
            asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if b"Action=GetCallerIdentity" in asked:  # the gateway asks once whose credentials it has
                self.answer(200, {"Content-Type": "text/xml"}, IDENTITY)
                return
            canned.requests += 1
            if canned.status == 0:
                self.close_connection = True
                return
            self.answer(canned.status, canned.headers, canned.body)

        def answer(self, status: int, headers: dict[str, str], text: str) -> None:
            body = text.encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
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
