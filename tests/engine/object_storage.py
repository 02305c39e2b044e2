"""Stand-in for Scaleway's Object Storage, in which pipelines keep Pulumi's state: moto's S3, in a process of its own.

Owns that process, on a free port of loopback, and one bucket. `python -m tests.engine.object_storage ACCESS_KEY` prints the
port and serves until its standard input ends, so it ends with whoever started it.

Where it differs from Object Storage: plain http, and buckets as part of the path; everything is in memory; requests are
answered one after another; a request must name the given access key, and its signature is not checked.
"""

import subprocess
import sys
import threading
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.engine.estate import ROOT

WAIT_SECONDS = 30
_XML = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@dataclass(frozen=True)
class ObjectStorage:
    """A running stand-in with one bucket, for the holder of `access_key`."""

    address: str
    bucket: str
    access_key: str

    def keys(self, prefix: str) -> list[str]:
        """The names of the bucket's objects below a prefix."""
        answer = ElementTree.fromstring(self.ask("GET", f"?list-type=2&prefix={prefix}"))
        return [str(key.text) for key in answer.iter(f"{_XML}Key")]

    def read(self, key: str) -> bytes:
        return self.ask("GET", f"/{key}")

    def ask(self, method: str, path: str) -> bytes:
        named = {"Authorization": f"AWS4-HMAC-SHA256 Credential={self.access_key}/20300101/us-east-1/s3/aws4_request"}
        request = urllib.request.Request(f"http://{self.address}/{self.bucket}{path}", method=method, headers=named)
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
            return bytes(answer.read())


@contextmanager
def running(bucket: str, access_key: str) -> Iterator[ObjectStorage]:
    """A stand-in with this bucket, empty; it ends with the context."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.engine.object_storage", access_key],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            storage = ObjectStorage(f"127.0.0.1:{process.stdout.readline().strip()}", bucket, access_key)
            storage.ask("PUT", "")
            yield storage
        finally:
            process.stdin.close()
            assert process.wait(WAIT_SECONDS) == 0


def _serve(access_key: str) -> None:
    # Here, because only the process of its own needs them.
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    class Quiet(MotoRequestHandler):
        def log_request(self, *_: Any) -> None:
            pass

    moto, one_at_a_time = DomainDispatcherApplication(create_backend_app), threading.Lock()

    def guarded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if f"Credential={access_key}/" not in environ.get("HTTP_AUTHORIZATION", ""):
            start_response("403 Forbidden", [("Content-Type", "application/xml")])
            return [b"<Error><Code>AccessDenied</Code><Message>another access key</Message></Error>"]
        with one_at_a_time:  # moto's dictionaries may not change while one of its threads lists them
            return list(moto(environ, start_response))

    server = make_server("127.0.0.1", 0, guarded, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    _serve(sys.argv[1])
