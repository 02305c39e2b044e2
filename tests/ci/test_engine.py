"""How the engine is called and read; a script stands in for it (`fake_pulumi`)."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ci.engine import Engine, documents, engine_of
from ci.errors import CiError
from tests.ci.fake_pulumi import FakePulumi


@pytest.fixture
def pulumi(tmp_path: Path) -> FakePulumi:
    return FakePulumi(tmp_path / "bin")


@pytest.fixture
def engine(pulumi: FakePulumi) -> Engine:
    return Engine(stack="dev", policy_packs=["/packs/a", "/packs/b"], environment={"PATH": pulumi.path})


# --- the command lines ------------------------------------------------------------------------------------------------


def test_a_preview_is_called_so_that_its_events_and_its_plan_can_be_read(
    engine: Engine, pulumi: FakePulumi, tmp_path: Path
) -> None:
    events, plan = tmp_path / "events", tmp_path / "plan.json"
    pulumi.does("preview", out='{"a": 1}\n', err="careful\n", code=4, plan="the plan")
    assert engine.preview(events, plan) == (4, "careful\n")
    assert (events.read_text(), plan.read_text()) == ('{"a": 1}\n', "the plan")
    assert pulumi.arguments("preview") == [
        *("preview", "--json", "--save-plan", str(plan), "--stack", "dev", "--non-interactive"),
        *("--policy-pack", "/packs/a", "--policy-pack", "/packs/b"),
    ]
    assert pulumi.streaming("preview") == "true"
    assert pulumi.arguments("up") is None


def test_what_is_not_utf_8_does_not_stop_a_preview(engine: Engine, pulumi: FakePulumi, tmp_path: Path) -> None:
    (pulumi.folder / "preview.err").write_bytes(b"caf\xe9\n")
    assert engine.preview(tmp_path / "events", tmp_path / "plan") == (0, "caf\ufffd\n")


def test_an_update_is_held_to_a_plan(engine: Engine, pulumi: FakePulumi, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('{"held": "to"}')
    pulumi.does("up", out='{"a": 1}\nsaid\n{\n    "b": {\n        "c": 2\n    }\n}\n', err="warning: x\n", code=255)
    with engine.update(plan) as update:
        assert list(update.output()) == ["warning: x", {"a": 1}, "said", {"b": {"c": 2}}]
        assert update.code() == 255
    assert pulumi.arguments("up") == [
        *("up", "--yes", "--skip-preview", "--json", "--plan", str(plan), "--stack", "dev", "--non-interactive"),
        *("--policy-pack", "/packs/a", "--policy-pack", "/packs/b"),
    ]
    assert pulumi.held_to() == {"held": "to"}
    assert pulumi.streaming("up") == ""


def test_an_update_without_a_plan_and_without_policies(pulumi: FakePulumi) -> None:
    engine = Engine(stack="acme/app/dev", policy_packs=[], environment={"PATH": pulumi.path})
    with engine.update(None) as update:
        assert list(update.output()) == []
        assert update.code() == 0
    assert pulumi.arguments("up") == [
        *("up", "--yes", "--skip-preview", "--json", "--stack", "acme/app/dev", "--non-interactive")
    ]


# --- the end of an update ---------------------------------------------------------------------------------------------


@pytest.fixture
def interrupts(request: pytest.FixtureRequest) -> Iterator[None]:
    """What is done about them when the update begins."""
    before = signal.signal(signal.SIGINT, request.param)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    "interrupts", [signal.default_int_handler, signal.SIG_IGN], ids=["as usual", "ignored"], indirect=True
)
@pytest.mark.usefixtures("interrupts")
def test_an_update_that_is_told_to_end_is_interrupted_and_read_to_its_end(engine: Engine, pulumi: FakePulumi) -> None:
    """Also in the background of a shell, where interrupts are ignored: once, that let this wait for a minute and fail."""
    pulumi.waits_for_an_interrupt("up", '{"written": "down"}\n')
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with engine.update(None) as update:
        output = update.output()
        assert next(output) == {"ready": True}
        os.kill(os.getpid(), signal.SIGINT)  # a terminal sends it to the engine as well
        os.kill(os.getpid(), signal.SIGTERM)
        assert (list(output), update.code()) == ([{"written": "down"}], 3)
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_an_update_goes_on_where_its_reader_fails(engine: Engine, pulumi: FakePulumi) -> None:
    """More than a pipe holds: the engine would wait for a reader for ever, with the stack locked."""
    pulumi.does("up", out='{"a": 1}\n' * 30_000)

    def read_badly() -> None:
        with engine.update(None) as update:
            next(update.output())
            raise OSError("the log is full")

    with pytest.raises(OSError, match="the log is full"):
        read_badly()
    assert pulumi.ended("up")


# --- its output -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("\n", [""]),
        ("said\n", ["said"]),
        ("said", ["said"]),
        ("{}\n", [{}]),
        ('{"a": "}"}\n{"b": "{"}\n', [{"a": "}"}, {"b": "{"}]),
        ('{\n    "a": "}",\n    "b": "{"\n}\n', [{"a": "}", "b": "{"}]),
        ('{\n    "a": {\n    }\n}', [{"a": {}}]),
        ('one\n{"a": 1}\n\ntwo\n', ["one", {"a": 1}, "", "two"]),
        ('{"a": 1}   \r\n', [{"a": 1}]),
        ('{"a": 1\n', ['{"a": 1']),
        ("{a}\n", ["{a}"]),
        ("{first} and {second}\n", ["{first} and {second}"]),
        ('{"a": 1} and more\n', ['{"a": 1} and more']),
        ('  {"a": 1}\n', ['  {"a": 1}']),
        ('["a"]\n', ['["a"]']),
        ("}\n", ["}"]),
        ('{\n    "a": 1\n', ["{", '    "a": 1']),
        ('{\nwarning: x\n    "a": 1\n}\n{"b": 2}\n', ["{", "warning: x", '    "a": 1', "}", {"b": 2}]),
        ("{" + '"a":{' * 2_000 + "}" * 2_001 + "\n", ["{" + '"a":{' * 2_000 + "}" * 2_001]),
    ],
)
def test_documents_and_what_is_between_them(text: str, found: list[Any]) -> None:
    assert list(documents(text.splitlines(keepends=True))) == found


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from("{}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.text(max_size=3) | st.sampled_from("{}"), values, max_size=3)
texts = st.text(max_size=20).filter(
    lambda t: "\n" not in t and t.rstrip() != "{" and not (t.startswith("{") and _is_json(t))
)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@given(st.lists(st.tuples(objects, st.sampled_from((None, 4))) | texts, max_size=6))
@example([({"a": {"b": []}}, 4), "{a\x0bb}", ({}, 4), "}", ({"}": "{"}, None)])
def test_every_document_and_every_line_between_is_found_again(parts: list[Any]) -> None:
    text = "".join(f"{part if isinstance(part, str) else json.dumps(part[0], indent=part[1])}\n" for part in parts)
    expected = [part.rstrip() if isinstance(part, str) else part[0] for part in parts]
    assert list(documents(line + "\n" for line in text.split("\n")[:-1])) == expected


# --- what is installed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["not there", "not executable"])
def test_no_engine_is_told_with_what_has_one(tmp_path: Path, missing: str) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    if missing == "not executable":
        (folder / "pulumi").write_text("#!/bin/sh\n")
    with pytest.raises(CiError) as caught:
        engine_of("dev", [], {"PATH": str(folder)})
    assert str(caught.value) == (
        "there is no pulumi on the PATH: it must be installed, or nothing can be deployed. "
        "Fix: run the job in an image that has it, such as pulumi/pulumi-python-3.11"
    )


def test_policy_packs_that_are_missing_are_told(pulumi: FakePulumi, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(CiError) as caught:
        engine_of("dev", [str(tmp_path), "policies/none", str(file)], {"PATH": pulumi.path})
    assert str(caught.value) == (
        f"there is no policy pack policies/none, {file}: it must be a folder, or nothing is checked by it. "
        "Fix: --policy-pack FOLDER"
    )


def test_policy_packs_are_named_from_anywhere(
    pulumi: FakePulumi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "policies").mkdir()
    monkeypatch.chdir(tmp_path)
    environ = {"PATH": pulumi.path, "A": "b"}
    assert engine_of("dev", ["policies"], environ) == Engine(
        stack="dev", policy_packs=[str(tmp_path / "policies")], environment=environ
    )
