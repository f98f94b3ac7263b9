"""Connections to the S3 server are kept, however many calls there are at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from workers.s3 import S3Storage

#: Calls of the storage that the API makes at once.
CALLS = 40


def test_as_many_calls_again_make_no_new_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    everybody, connections = threading.Barrier(CALLS), []

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            connections.append(self)
            super().setup()

        def do_GET(self) -> None:
            everybody.wait(60)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = CALLS

    with Server(("127.0.0.1", 0), Answering) as server, ThreadPoolExecutor(CALLS) as pool:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        storage = S3Storage("s3://bucket/x", endpoint_url=url)
        for _ in range(2):
            assert list(pool.map(storage.get, ["key"] * CALLS)) == [b""] * CALLS
        server.shutdown()
    assert len(connections) == CALLS
