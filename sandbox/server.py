"""The HTTP/1.1 server: keep-alive, a thread for each connection, one write for each answer."""

import logging
import socket
import socketserver
import threading
from http import HTTPStatus

from sandbox.control import PREFIX, answer_control
from sandbox.local_aws import LocalAws
from sandbox.wire import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)
MAX_BODY = 1 << 20
MAX_HEADERS = 100
MAX_LINE = 65_536


class Server(socketserver.ThreadingTCPServer):
    """Serves one local AWS; stopping it closes the open connections too."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, aws: LocalAws, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((host, port), Handler)
        self.aws = aws
        self.url = f"http://{host}:{self.server_address[1]}"
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()

    def start(self, stops_within: float = 0.25) -> None:
        """Serve in a thread of its own, which looks this often whether it shall stop."""
        threading.Thread(target=self.serve_forever, args=(stops_within,), daemon=True, name="sandbox").start()

    def stop(self) -> None:
        """Stop listening and close every connection."""
        self.shutdown()
        self.server_close()
        self.aws.stop()
        with self._open_lock:
            for connection in self._open:
                _close(connection)

    def remember(self, connection: socket.socket) -> None:
        with self._open_lock:
            self._open.add(connection)

    def forget(self, connection: socket.socket) -> None:
        with self._open_lock:
            self._open.discard(connection)


class Handler(socketserver.StreamRequestHandler):
    """Reads requests of one connection until either side closes it."""

    server: Server
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.remember(self.connection)

    def finish(self) -> None:
        self.server.forget(self.connection)
        super().finish()

    def handle(self) -> None:
        try:
            while request := self._read():
                if not self._serve(request):
                    return
        except (ConnectionError, TimeoutError):
            return  # the client has gone
        except ValueError as error:
            logger.warning("bad request: %s", error)
            self._write(HttpResponse(400, {}), is_last=True)

    def _serve(self, request: HttpRequest) -> bool:
        """Answer the request; say whether the connection stays open."""
        if request.path.startswith(PREFIX):
            response: HttpResponse | None = answer_control(self.server.aws, request)
        else:
            response = self._answer(request)
        if response is None:
            return False
        is_last = request.headers.get("connection", "").lower() == "close"
        self._write(response, is_last)
        return not is_last

    def _answer(self, request: HttpRequest) -> HttpResponse | None:
        try:
            return self.server.aws.answer(request)
        except Exception:
            logger.exception("the sandbox itself failed")
            return HttpResponse(500, {"x-amzn-ErrorType": "SandboxDefect"})

    def _read(self) -> HttpRequest | None:
        line = self.rfile.readline(MAX_LINE)
        if not line:
            return None
        words = line.decode("latin-1").split()
        if len(words) != 3:
            raise ValueError("the request line has not three words")
        headers = self._read_headers()
        size = int(headers.get("content-length", "0"))
        if not 0 <= size <= MAX_BODY or "transfer-encoding" in headers:
            raise ValueError("the body has no length, or is too long")
        return HttpRequest(words[0], words[1], headers, self.rfile.read(size), self.client_address[0])

    def _read_headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for _ in range(MAX_HEADERS):
            line = self.rfile.readline(MAX_LINE).rstrip(b"\r\n")
            if not line:
                return headers
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        raise ValueError("there are too many headers")

    def _write(self, response: HttpResponse, is_last: bool) -> None:
        """Send head and body in one write: two would wait 40 ms for each other (Nagle, delayed ACK)."""
        headers = {**response.headers, "Content-Length": str(len(response.body))}
        if is_last:
            headers["Connection"] = "close"
        lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + response.body)


def _close(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was faster
