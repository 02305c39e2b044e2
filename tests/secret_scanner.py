"""Finds secrets in what was left behind, however they are written there.

Owns the ways to write a secret, and how packed content (gzip, zip, gzip in base64 as Helm's release records) is opened.
Does not own which secrets there are. It shares nothing with `ci.redaction`, whose work it judges.
"""

import base64
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

Content = Path | bytes

_CHUNK = 8 << 20
_RUN = re.compile(rb"[A-Za-z0-9+/=_-]{8,}")
_SHORTEST = 8
_GZIP = b"\x1f\x8b"
# How gzip begins in base64, once and twice.
_PACKED = re.compile(rb"(?:H4sI|SDRzSU)[A-Za-z0-9+/]{16,}={0,2}")


def _base64(secret: bytes) -> Iterator[bytes]:
    """What each base64 text with these bytes in it holds: for each offset, the characters that no neighbour changes."""
    for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
        for offset in range(3):
            text = encode(b"\0" * offset + secret)
            yield text[(0, 2, 3)[offset] : (offset + len(secret)) * 8 // 6]


def forms(secret: str) -> dict[bytes, str]:
    """Each way to write the secret, and its name."""
    plain, escaped = secret.encode(), json.dumps(secret)[1:-1]
    found = {plain: "plain"}
    found[escaped.encode()] = "JSON"
    found[json.dumps(escaped)[1:-1].encode()] = "JSON in JSON"
    for quoted in (quote(secret, safe=""), quote_plus(secret)):
        found[quoted.encode()] = "URL"
        found[re.sub("%..", lambda code: code[0].lower(), quoted).encode()] = "URL"
    found |= {plain.hex().encode(): "hex", plain.hex().upper().encode(): "hex"}
    for once in _base64(plain):
        found[once] = "base64"
        found |= dict.fromkeys(_base64(once), "base64 of base64")
    return {form: found[form] for form in found if len(form) >= _SHORTEST} | {plain: "plain"}


class Scanner:
    """Args: what each secret is, by its value; a value of several lines is searched for line by line as well."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._forms: dict[bytes, str] = {}
        for secret, what in secrets.items():
            for part in {secret, *(line for line in secret.splitlines() if len(line) >= 40 and "-----" not in line)}:
                self._forms |= {form: f"{what}: {how}" for form, how in forms(part).items()}
        # Of each form, a run of characters that it cannot be without: texts repeat themselves, and each is looked at once.
        self._by_run: dict[bytes, list[bytes]] = {}
        self._without_run: list[bytes] = []
        for form in self._forms:
            run = max(_RUN.findall(form), key=len, default=None)
            if run is None:
                self._without_run.append(form)
            else:
                self._by_run.setdefault(run, []).append(form)

    def found(self, contents: Mapping[str, Content]) -> dict[str, set[str]]:
        """Where secrets are, and which, and how they are written there."""
        runs: set[bytes] = set()
        for content in contents.values():
            for text in _unpacked(_bytes(content)):
                for start in range(0, len(text), _CHUNK):  # what is cut in two is whole in the overlap
                    runs.update(_RUN.findall(text, start, start + _CHUNK + self._longest))
        all_runs = b"\n".join(runs)
        suspects = [form for run, of_run in self._by_run.items() if run in all_runs for form in of_run]
        suspects += self._without_run
        if not suspects:
            return {}
        holders = {name: self._within(content, suspects) for name, content in contents.items()}
        return {name: found for name, found in holders.items() if found}

    @property
    def _longest(self) -> int:
        return max(map(len, self._forms), default=0)

    def _within(self, content: Content, suspects: list[bytes]) -> set[str]:
        return {self._forms[form] for text in _unpacked(_bytes(content)) for form in suspects if form in text}


def _bytes(content: Content) -> bytes:
    return content.read_bytes() if isinstance(content, Path) else content


def _unpacked(content: bytes) -> Iterator[bytes]:
    """The content, and all that is packed in it."""
    yield content
    if content.startswith(_GZIP):
        yield from _unpacked(_gunzipped(content))
    elif content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield from _unpacked(archive.read(name))
    for packed in set(_PACKED.findall(content)):
        decoded = base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=False)
        yield from _unpacked(decoded)


def _gunzipped(content: bytes) -> bytes:
    """As far as it goes: what wrote it may have been killed. Several members may follow each other."""
    texts = []
    while content.startswith(_GZIP):
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            texts.append(unpacker.decompress(content))
        except zlib.error:
            break
        content = unpacker.unused_data
    return b"".join(texts)


def files_below(folder: Path) -> dict[str, Content]:
    """Every file below a folder, by its path from there. Links are not followed."""
    return {str(f.relative_to(folder)): f for f in sorted(folder.rglob("*")) if f.is_file() and not f.is_symlink()}
