"""Whatever a preview holds, and wherever: no secret reaches the log, a file, the widget, an error or GitLab."""

import base64
import contextlib
import functools
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ci import note, preview_report
from ci.redaction import clean
from tests.ci.conftest import PREFIX

SIGNED = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}

WRITTEN: dict[str, Callable[[str], str]] = {
    "plain": lambda s: s,
    "json": lambda s: json.dumps({"a": s}),
    "json in json": lambda s: json.dumps(json.dumps([s], ensure_ascii=False)),
    "unicode escapes": lambda s: "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in s),
    "url": lambda s: f"https://host/?q={quote(s, safe='')}",
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 inside": lambda s: base64.b64encode(f"user:{s}!".encode()).decode(),
    "hex": lambda s: s.encode().hex(),
    "coloured": lambda s: f"\x1b[1m{s[:3]}\x1b[0m{s[3:]}",
    "in a long text": lambda s: "x" * 190 + " " + s + " " + "y" * 500,
    "in lines": lambda s: f"first\n {s} \nlast",
}

secrets = st.text(st.characters(codec="utf-8"), min_size=8, max_size=30).filter(lambda s: len(clean(s).strip()) >= 8)


def states(text: str, secret: str) -> dict[str, Any]:
    return {
        "plain": text,
        text: "as a key",
        "list": [text, {"deep": {text: text}}],
        "marked": SIGNED | {"ciphertext": "[secret]"},
        "shown": SIGNED | {"plaintext": json.dumps(secret)},
        "value": SIGNED | {"value": {"inner": secret}},
        "document": json.dumps({"a": SIGNED | {"plaintext": secret}}),
        "__defaults": [text],
    }


def steps(text: str, secret: str) -> list[dict[str, Any]]:
    urn, other = f"{PREFIX}a:b/c:C::{text}", f"{PREFIX}a:b/{text}:C$d:e:{text}::n"
    old, new = states(text, secret), states(text + "2", secret) | {"marked": secret}
    paths = ["plain", "list", "marked", "shown.x", "value", "document", "list[1].deep", f'list[1].deep["{text}"]', text]
    detailed = {path: {"kind": "update", "inputDiff": False} for path in paths}
    changed = {"oldState": {"inputs": old, "outputs": old}, "newState": {"inputs": new}}
    return [
        {
            "op": "refresh",
            "urn": urn,
            "oldState": {"inputs": {"plain": 1}, "outputs": old},
            "newState": {"outputs": new},
        },
        {"op": "update", "urn": urn, "detailedDiff": detailed} | changed,
        {"op": "replace", "urn": other, "replaceReasons": [text, "plain"], "diffReasons": [text]} | changed,
        {"op": text, "urn": urn + "x", "newState": {"inputs": new}},
        {"op": "create", "urn": text, "newState": {"inputs": {"password": secret, "n": text}}},
        {"op": "delete", "urn": urn + "d", "oldState": {"inputs": old}},
    ]


def as_document(text: str, secret: str) -> str:
    diagnostics = [
        {"severity": s, "message": text, "urn": f"{PREFIX}t::{text}"} for s in ("error", "warning", "info#err")
    ]
    counts = {"update": 1, text: 3}
    found = {"config": {text: text}, "steps": steps(text, secret), "diagnostics": diagnostics, "changeSummary": counts}
    return json.dumps(found, indent=4)


def as_events(text: str, secret: str) -> str:
    found: list[dict[str, Any]] = [{"preludeEvent": {"config": {text: text}}}]
    for each in steps(text, secret):
        names = {"oldState": "old", "newState": "new", "replaceReasons": "keys", "diffReasons": "diffs"}
        metadata = {names.get(k, k): v for k, v in each.items()}
        metadata["detailedDiff"] = {k: {"diffKind": "update"} for k in each.get("detailedDiff", {"plain": 1})}
        found.append({"resOutputsEvent" if each["op"] == "refresh" else "resourcePreEvent": {"metadata": metadata}})
    for severity in ("error", "warning", "info#err"):
        found.append({"diagnosticEvent": {"severity": severity, "message": text, "urn": text}})
    violation = {"policyName": text, "policyPackName": text, "message": text, "resourceUrn": text}
    found += [{"policyEvent": violation | {"enforcementLevel": level}} for level in ("mandatory", "advisory", text)]
    found += [{"errorEvent": {"error": text}}, {"summaryEvent": {"result": "failed", "resourceChanges": {text: 1}}}]
    return "\n".join(json.dumps({"sequence": n} | each) for n, each in enumerate(found)) + "\n"


class Posted:
    """GitLab's client and its notes, as far as the report uses them, without a server: it keeps what is posted."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def post(self, reports: Any, limit: int, environ: Any) -> list[str]:
        for report in reports:
            marker = note.marker(report)
            self.bodies.append(f"{marker}\n{note.markdown(report, limit, 'A notice.')}")
        return [f"Wrote a note on {report.stack}." for report in reports]


def outputs(content: str, environ: dict[str, str]) -> str:
    """Everything that the command says and writes for one preview, and for a broken one."""
    posted = Posted()
    out, err = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(preview_report, "_post", posted.post)
        folder = Path(name)
        (folder / "whole").write_text(content)
        (folder / "broken").write_text(content[: len(content) // 2])
        files = [f"--markdown={folder / 'o.md'}", f"--widget={folder / 'o.json'}", "--limit=20000", "--post"]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            assert preview_report.main([f"--preview=dev={folder / 'whole'}", *files], environ) == 0, err.getvalue()
            assert preview_report.main([f"--preview=dev={folder / 'broken'}"], environ) == 1
            coloured = environ | {"FORCE_COLOR": "1"}
            assert preview_report.main([f"--preview=dev={folder / 'whole'}"], coloured) == 0
        written = [(folder / file).read_text() for file in ("o.md", "o.json")]
        return "\n".join([out.getvalue(), err.getvalue(), *written, *posted.bodies]).replace(name, "")


@functools.cache
def baseline() -> str:
    """What the command says of a preview without any text: whoever's password is in there has a poor one."""
    environ = {"HOME": "/nonexistent", "A_TOKEN": "placeholder-placeholder"}
    texts = (make("placeholder-placeholder", "placeholder-placeholder") for make in (as_document, as_events))
    return "".join(outputs(text, environ) for text in texts)


@pytest.mark.parametrize("form", [as_document, as_events])
@given(secret=secrets, way=st.sampled_from(sorted(WRITTEN)))
@example(secret='a"b\\c/d<e>&f', way="json in json")
@example(secret="line one\nline two", way="plain")
@example(secret="12345678", way="plain")
@example(secret="pass::word$x", way="plain")
@example(secret="glpat-AAAAAAAAAAAAAAAAAAAA", way="base64 inside")
@example(secret="`````````", way="plain")
@example(secret="x" * 30, way="in a long text")
def test_no_secret_gets_out(form: Callable[[str, str], str], secret: str, way: str) -> None:
    shown_as = {clean(secret), clean(secret).strip()}
    assume(not any(s in baseline() for s in shown_as))
    written = WRITTEN[way](secret)
    environ = {"HOME": "/nonexistent", "A_TOKEN": secret.replace("\0", "")}
    assume(environ["A_TOKEN"] == secret)
    found = outputs(form(written, secret), environ)
    for each in shown_as:
        assert each not in found
        assert " ".join(each.split()) not in found or " ".join(each.split()) in baseline()
    assert base64.b64encode(secret.encode()).decode() not in found
    assert secret.encode().hex() not in found


@pytest.mark.parametrize("form", [as_document, as_events])
@pytest.mark.parametrize("way", sorted(set(WRITTEN) - {"unicode escapes"}))
def test_what_a_preview_itself_shows_to_be_secret_is_known_everywhere(
    form: Callable[[str, str], str], way: str
) -> None:
    """`--show-secrets` was given: the text of a marked secret stands elsewhere without its mark."""
    secret = "hunter2&hunter2"
    found = outputs(form(WRITTEN[way](secret), secret), {"HOME": "/nonexistent"})
    assert secret not in found
    assert "hunter2" not in found
