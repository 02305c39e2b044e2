"""The scanner of what runs leave behind: it finds a planted secret, however it is written, and nothing where none is."""

import base64
import gzip
import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.secret_scanner import Scanner, files_below

UUID = "1b671a64-40d5-491e-99b0-da01ff1f3341"
ODD = 'p"ss/word+ with\\ everything=&ü'
KEY = (
    "-----BEGIN PRIVATE KEY-----\n"
    + "\n".join(f"{n}Fake{'AbCd' * 15}" for n in "123")
    + "\n-----END PRIVATE KEY-----\n"
)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _zipped(text: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/plan.json", text)
    return packed.getvalue()


def _release(text: str) -> str:
    """As Helm keeps a release in a secret of Kubernetes."""
    return _base64(base64.b64encode(gzip.compress(json.dumps({"manifest": text}).encode())).decode())


WRITTEN: dict[str, Callable[[str], str | bytes]] = {
    "plain": lambda s: s,
    "JSON": lambda s: json.dumps({"a": s}),
    "JSON in JSON": lambda s: json.dumps({"event": json.dumps({"a": s})}),
    "URL": lambda s: f"https://host/?q={quote(s, safe='')}",
    "URL in lower case": lambda s: f"https://host/?q={re.sub('%..', lambda code: code[0].lower(), quote(s, safe=''))}",
    "hex": lambda s: s.encode().hex(),
    "base64": _base64,
    "base64, one on": lambda s: _base64(f"x{s}yz"),
    "base64, two on": lambda s: _base64(f"xy{s}z"),
    "base64 for URLs": lambda s: base64.urlsafe_b64encode(f"?>{s}".encode()).decode(),
    "base64 of base64": lambda s: _base64(f"a{_base64(f'xx{s}')}"),
    "gzip": lambda s: gzip.compress(f"log {s} end".encode()),
    "gzip without its end": lambda s: gzip.compress(f"{s} {random.Random(1).randbytes(9999).hex()}".encode())[:-999],
    "two gzip logs in one": lambda s: gzip.compress(b"one") + gzip.compress(s.encode()),
    "gzip in base64": lambda s: base64.b64encode(gzip.compress(s.encode())),
    "a release of Helm": _release,
    "a release of Helm in gzip": lambda s: gzip.compress(_release(s).encode()),
    "zip": _zipped,
    "far behind": lambda s: "line\n" * 3_000_000 + s,
    "in the middle of a word": lambda s: f"{'a' * ((8 << 20) - 10)}{s}{'b' * 100}",
}  # fmt: skip


def _plant(folder: Path, content: str | bytes) -> None:
    file = folder / "deep" / "file"
    file.parent.mkdir()
    file.write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize("secret", [UUID, ODD], ids=["uuid", "odd"])
@pytest.mark.parametrize("written", WRITTEN)
def test_a_planted_secret_is_found(tmp_path: Path, written: str, secret: str) -> None:
    _plant(tmp_path, WRITTEN[written](secret))
    (tmp_path / "other").write_text("nothing")
    found = Scanner({secret: "the key"}).found(files_below(tmp_path))
    assert list(found) == ["deep/file"]
    assert all(what.startswith("the key: ") for what in found["deep/file"])


@pytest.mark.parametrize("line", KEY.splitlines()[1:-1])
def test_one_line_of_a_private_key_is_enough(tmp_path: Path, line: str) -> None:
    _plant(tmp_path, f"key: {line}")
    assert list(Scanner({KEY: "TLS"}).found(files_below(tmp_path))) == ["deep/file"]


@pytest.mark.parametrize(
    "content",
    ["", "nothing", UUID[:-1], UUID.replace("1b", "2b"), KEY.splitlines()[0], b"\x1f\x8bno gzip", b"H4sI" + b"A" * 40],
)
def test_nothing_is_found_where_nothing_is(tmp_path: Path, content: str | bytes) -> None:
    _plant(tmp_path, content)
    assert Scanner({UUID: "key", KEY: "TLS"}).found(files_below(tmp_path)) == {}
