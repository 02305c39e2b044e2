"""What tools are told to read, with anything in any place: a report or a plan, or one line that says what is wrong."""

import contextlib
import errno
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci import deploy, plans, preview_report, previews, publish_plan
from ci.values import SECRET_SIGNATURE, SIGNATURE
from tests.ci.conftest import PREFIX, SAMPLES
from tests.ci.fake_pulumi import UNCHANGED, FakePulumi, lines
from tests.ci.hostile_gitlab import Ran, is_clear
from tests.ci.plan_samples import text_of_plan
from tests.ci.wrong_values import nested, paths, put, wrong_values

pytestmark = pytest.mark.hostile


class Reading:
    """The tools that read a file, by their `main`; each gets the same folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "given"
        self.pulumi = FakePulumi(folder / "bin")
        self.pulumi.does("preview", UNCHANGED, plan=text_of_plan())
        self.pulumi.does("up", UNCHANGED)
        self.environ = {"HOME": str(folder), "PATH": self.pulumi.path}

    def run(self, tool: str, content: bytes | str | None = None, file: Path | None = None) -> Ran:
        """Exit code, standard output, standard error."""
        if content is not None:
            self.file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = self._main(tool, file or self.file)
        return code, out.getvalue(), err.getvalue()

    def _main(self, tool: str, file: Path) -> int:
        match tool:
            case "report":
                outs = [f"--markdown={self.folder / 'm'}", f"--widget={self.folder / 'w'}"]
                return preview_report.main([f"--preview=dev={file}", *outs], self.environ)
            case "publish":
                return publish_plan.main([str(file), str(self.folder / "published")], self.environ)
        return deploy.main(["--stack=dev", f"--plan={file}"], self.environ)


TOOLS = ("report", "publish", "deploy")


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    return Reading(tmp_path_factory.mktemp("reading"))


# --- in any place -----------------------------------------------------------------------------------------------------

_JSON = [json.loads((SAMPLES / f"{name}.json").read_text()) for name in ("changes", "drift", "policy")]
_EVENTS = [
    [json.loads(line) for line in (SAMPLES / f"{name}.events").read_text().splitlines()]
    for name in ("changes", "drift", "policy", "deployed")
]
_PLAN = json.loads((SAMPLES / "plan.json").read_text())


def as_lines(events: Any) -> str:
    return "\n".join(map(json.dumps, events))


@given(document=st.sampled_from(_JSON), data=st.data(), wrong=wrong_values)
def test_a_preview_with_anything_in_any_place(reading: Reading, document: Any, data: Any, wrong: Any) -> None:
    place = data.draw(st.sampled_from(list(paths(document))))
    is_clear(reading.run("report", json.dumps(put(document, place, wrong))))


@given(events=st.sampled_from(_EVENTS), data=st.data(), wrong=wrong_values)
def test_events_with_anything_in_any_place(reading: Reading, events: Any, data: Any, wrong: Any) -> None:
    number = data.draw(st.integers(0, len(events) - 1))
    place = data.draw(st.sampled_from(list(paths(events[number]))))
    is_clear(
        reading.run("report", as_lines([*events[:number], put(events[number], place, wrong), *events[number + 1 :]]))
    )


@given(data=st.data(), wrong=wrong_values, tool=st.sampled_from(["publish", "deploy"]))
def test_a_plan_with_anything_in_any_place(reading: Reading, data: Any, wrong: Any, tool: str) -> None:
    place = data.draw(st.sampled_from(list(paths(_PLAN))))
    said = is_clear(reading.run(tool, json.dumps(put(_PLAN, place, wrong))))
    assert not said or "is no plan" in said or "no longer fits" in said


SECRET = {SIGNATURE: SECRET_SIGNATURE, "ciphertext": "x"}


def test_a_plan_with_a_secret_in_the_place_of_an_object(reading: Reading) -> None:
    """Where the engine writes an object, and reading makes a text of what is marked."""
    for place in [("resourcePlans", *place) for place in paths(_PLAN["resourcePlans"]) if len(place) < 5]:
        is_clear(reading.run("publish", json.dumps(put(_PLAN, place, SECRET))))


@given(data=st.data(), wrong=wrong_values)
def test_a_deployment_whose_engine_writes_anything_in_any_place(reading: Reading, data: Any, wrong: Any) -> None:
    """While it runs, too: the engine has changed things by then, and the log must say which."""
    events = data.draw(st.sampled_from(_EVENTS))
    number = data.draw(st.integers(0, len(events) - 1))
    place = data.draw(st.sampled_from(list(paths(events[number]))))
    written = [*events[:number], put(events[number], place, wrong), *events[number + 1 :]]
    reading.pulumi.does(data.draw(st.sampled_from(["preview", "up"])), as_lines(written) + "\n", plan=text_of_plan())
    try:
        is_clear(reading.run("deploy", text_of_plan()))
    finally:
        for command in ("preview", "up"):
            reading.pulumi.does(command, UNCHANGED, plan=text_of_plan())


# --- what is no text, no JSON, or cut off -----------------------------------------------------------------------------

_GOOD = {"report": json.dumps(_JSON[0]), "publish": json.dumps(_PLAN), "deploy": text_of_plan()}


@given(
    tool=st.sampled_from(TOOLS), content=st.binary(max_size=40) | st.text(max_size=40).map(lambda t: t.encode("utf-8"))
)
def test_any_bytes(reading: Reading, tool: str, content: bytes) -> None:
    assert is_clear(reading.run(tool, content))


@given(tool=st.sampled_from(TOOLS), data=st.data())
def test_what_is_cut_off(reading: Reading, tool: str, data: Any) -> None:
    good = _GOOD[tool]
    assert is_clear(reading.run(tool, good[: data.draw(st.integers(0, len(good) - 2))]))


@given(tool=st.sampled_from(TOOLS), data=st.data(), flipped=st.integers(0, 255))
def test_a_byte_that_was_flipped(reading: Reading, tool: str, data: Any, flipped: int) -> None:
    good = bytearray(_GOOD[tool].encode())
    good[data.draw(st.integers(0, len(good) - 1))] = flipped
    is_clear(reading.run(tool, bytes(good)))


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100,
        '{"steps": []}'.encode("utf-16"),
        '{"steps": []}'.encode("utf-32"),
        b"\xef\xbb\xbf",
        b'{"steps": "\xc3\x28"}',
        b'{"resourcePlans": ' + b'{"a":' * 200_000,
        b'{"steps": [' + b"[" * 200_000,
        b'{"resourcePreEvent": ' + b'{"a":' * 200_000,
        b'{"config": ' + b"9" * 5_000 + b"}",
        b'{"sequence": ' + b"9" * 5_000 + b"}",
        b'{"steps": [], "steps": 5}',
    ],
)
def test_what_is_no_text_or_no_json(reading: Reading, tool: str, content: bytes) -> None:
    assert is_clear(reading.run(tool, content))


@pytest.mark.parametrize("depth", [90, 200, 320, 450, 480, 600, 900])
@pytest.mark.parametrize("lists", [True, False])
def test_values_in_values(reading: Reading, depth: int, lists: bool) -> None:
    deep = nested(depth, lists=lists)
    step = {
        "op": "update",
        "urn": f"{PREFIX}t::n",
        "oldState": {"inputs": {"a": deep}},
        "newState": {"inputs": {"a": 1}},
    }
    plan = json.loads(text_of_plan())
    plan["resourcePlans"] = {"u": {"steps": ["create"], "goal": {"inputDiff": {"adds": {"a": deep}}}}}
    texts = json.dumps({"steps": [step]}), lines({"resourcePreEvent": {"metadata": step}}), json.dumps(plan)
    for tool, text in zip(("report", "report", "publish"), texts, strict=True):
        is_clear(reading.run(tool, text))


def test_many_secrets_that_only_begin_do_not_hold_a_report_up(reading: Reading) -> None:
    """The time for what looks like the beginning of a token grows with its length, and not with its square."""
    urns = [f"{PREFIX}t::{begin * 40_000}" for begin in ("-eyJ", "token=", "-----BEGIN ", "://a:")]
    text = json.dumps({"steps": [{"op": "create", "urn": urn} for urn in urns]})
    assert is_clear(reading.run("report", text)) == ""


# --- files that are none, or too large --------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", TOOLS)
def test_what_is_no_file(reading: Reading, tmp_path: Path, tool: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for place, wrong in {
        tmp_path: "cannot be read: Is a directory",
        tmp_path / "gone": "cannot be read: No such file or directory",
        tmp_path / ("n" * 300): "cannot be read: File name too long",
        loop: "cannot be read: Too many levels of symbolic links",
        pipe: "is no regular file: a pipe may never end",
        Path("/dev/zero"): "is no regular file: a pipe may never end",
    }.items():
        assert f"{place} {wrong}. Make it with: pulumi preview" in is_clear(reading.run(tool, file=place))


@pytest.mark.parametrize("tool", TOOLS)
def test_a_file_that_may_not_be_read(
    reading: Reading, tmp_path: Path, tool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said by a stand-in for the system, because root may read everything."""
    file = tmp_path / "closed"
    file.touch()

    def refused(path: Path, *_: Any, **__: Any) -> Any:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "open", refused)
    assert f"{file} cannot be read: Permission denied. Make it with:" in is_clear(reading.run(tool, file=file))


@pytest.mark.parametrize(("tool", "module"), [("report", previews), ("publish", plans), ("deploy", plans)])
def test_a_file_of_just_the_limit_and_one_byte_more(
    reading: Reading, monkeypatch: pytest.MonkeyPatch, tool: str, module: Any
) -> None:
    good = _GOOD[tool]
    monkeypatch.setattr(module, "MAX_BYTES", len(good))
    assert "is larger" not in is_clear(reading.run(tool, good))
    said = is_clear(reading.run(tool, good + " "))
    size = f"is larger than {len(good):,} bytes ({len(good) + 1:,}): to read it could take all memory of the job."
    assert f"{reading.file} {size} Make it with: pulumi preview" in said


def test_a_file_over_the_real_limit_is_not_even_read(reading: Reading, tmp_path: Path) -> None:
    """It has no content: of a sparse file, only the size is large."""
    file = tmp_path / "sparse"
    with file.open("w") as stream:
        stream.truncate(previews.MAX_BYTES + 1)
    for tool in TOOLS:
        assert "(250,000,001): to read it" in is_clear(reading.run(tool, file=file))


# --- what must have room ----------------------------------------------------------------------------------------------


def test_a_diff_of_20_mb_has_room(reading: Reading) -> None:
    old = {"a": "x" * 10_000_000}
    new = {"a": "x" * 9_999_999 + "y"}
    step = {"op": "update", "urn": f"{PREFIX}t::n", "oldState": {"inputs": old}, "newState": {"inputs": new}}
    text = json.dumps({"steps": [step | {"detailedDiff": {"a": {"kind": "update"}}}]})
    assert len(text) > 20_000_000
    assert is_clear(reading.run("report", text)) == ""


@pytest.mark.parametrize("events", [True, False])
def test_5000_resources_have_room(reading: Reading, events: bool) -> None:
    """With 50 kB each; here they are smaller, and the limit says that there is room for that."""
    state = {"a": "x" * 400}
    steps = [{"op": "create", "urn": f"{PREFIX}t::{n}", "newState": {"inputs": state}} for n in range(5_000)]
    made = [{"resourcePreEvent": {"metadata": {"op": "create", "urn": s["urn"], "new": s["newState"]}}} for s in steps]
    code, out, _ = reading.run("report", lines(*made) if events else json.dumps({"steps": steps}))
    assert code == 0
    assert "5,000 changes" in out
    assert previews.MAX_BYTES >= 5_000 * 50_000
