"""A server that speaks S3, in a process of its own, and the environment of who uses it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

BUCKET = "history"
SERVER = """
import sys
import threading
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(*server.get_host_and_port(), sep=":", flush=True)
sys.stdin.read()
"""
REFUSALS = """
import json, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
answers = json.loads(sys.argv[1])
class Handler(BaseHTTPRequestHandler):
    def answer(self):
        status, code = answers.get(self.path.split("/")[1].split("?")[0], (404, "NotFound"))
        body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)
    do_GET = do_HEAD = do_PUT = do_POST = answer
    def log_message(self, *_):
        pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
"""


def name_environment(url: str) -> dict[str, str]:
    """Return the variables by which the libraries find a server and its keys, and nothing of this machine's."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "key-that-nobody-may-see",
        "AWS_SECRET_ACCESS_KEY": "secret-that-nobody-may-see",
        "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "nowhere",
    }


@contextmanager
def serve_s3() -> Iterator[str]:
    """Start a server with one bucket; it ends with this process."""
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = f"http://{process.stdout.readline().decode().strip()}"
        with urllib.request.urlopen(urllib.request.Request(f"{url}/{BUCKET}", method="PUT")):
            pass
        yield url
        process.stdin.close()
        process.kill()


@contextmanager
def refuse_s3(answers: dict[str, tuple[int, str]]) -> Iterator[str]:
    """Start a server, in a process of its own, whose buckets answer every request with a status and an error code."""
    command = [sys.executable, "-c", REFUSALS, json.dumps(answers)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.kill()
