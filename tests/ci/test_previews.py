"""Both formats say the same; what is no preview is told in one line, with the command that makes one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ci import note, terminal
from ci.errors import CiError
from ci.previews import Preview, read_preview
from ci.redaction import Redactor
from ci.report import Report
from ci.steps import Property
from ci.values import Mark
from tests.ci.conftest import PREFIX, RUN, SAMPLES, step

NAMES = ("changes", "failed", "policy", "drift", "same")
Write = Callable[..., Path]


def read(file: Path) -> Preview:
    return read_preview("dev", file)


@pytest.mark.parametrize("name", NAMES)
def test_both_formats_say_the_same(name: str) -> None:
    document, events = (read(SAMPLES / f"{name}.{form}") for form in ("json", "events"))
    for part in ("stack", "project", "failed", "refreshed", "counts", "resources", "drift", "diagnostics"):
        assert getattr(document, part) == getattr(events, part), part
    assert document.project == "kapsule-devops"


def test_only_events_tell_violations() -> None:
    assert read(SAMPLES / "policy.json").violations == ()
    found = read(SAMPLES / "policy.events").violations
    assert [(v.rule, v.level) for v in found] == [
        ("ci-variables-hold-no-credential", "mandatory"),
        ("ci-variables-hold-no-credential", "mandatory"),
        ("secret-ci-variables-are-kept", "mandatory"),
        ("secret-ci-variables-are-kept", "mandatory"),
    ]


def test_the_steps_of_a_replacement_are_one_change() -> None:
    found = read(SAMPLES / "changes.events")
    pool = [r for r in found.resources if r.urn.endswith("::runner-pool-pool")]
    assert [(r.operation, r.forced_by) for r in pool] == [("replace", ("name",))]
    assert pool[0].properties[0] == Property(
        path=("name",), name="name", kind="update", old="dev", new="other", forces_replacement=True
    )


def test_the_order_does_not_depend_on_that_of_the_file(tmp_path: Path) -> None:
    given_order = json.loads((SAMPLES / "changes.json").read_text())
    given_order["steps"].reverse()
    other = tmp_path / "reversed.json"
    other.write_text(json.dumps(given_order))
    assert read(other).resources == read(SAMPLES / "changes.json").resources


def test_the_configuration_is_never_read() -> None:
    text = repr(read(SAMPLES / "changes.json")) + repr(read(SAMPLES / "changes.events"))
    assert "kapsule-devops:environment" not in text


# --- values -----------------------------------------------------------------------------------------------------------


def properties(file: Path) -> list[tuple[Any, ...]]:
    return [(p.path, p.old, p.new) for r in read(file).resources for p in r.properties]


SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
UPDATE = {"kind": "update", "inputDiff": False}


def test_a_value_that_becomes_secret_is_not_shown_as_it_was(write: Write) -> None:
    changed = step(
        "update", old={"a": "plain"}, new={"a": SECRET | {"ciphertext": "[secret]"}}, detailedDiff={"a": UPDATE}
    )
    assert properties(write(changed)) == [(("a",), Mark.SECRET, Mark.SECRET)]


def test_what_is_below_a_secret_is_secret(write: Write) -> None:
    changed = step(
        "update",
        old={"data": SECRET | {"plaintext": '{"k":"hunter2-hunter2"}'}},
        new={"data": {"k": "x"}},
        detailedDiff={"data.k": UPDATE},
    )
    file = write(changed)
    assert properties(file) == [(("data", "k"), Mark.SECRET, Mark.SECRET)]
    assert "hunter2-hunter2" in read(file).plain_secrets


@pytest.mark.parametrize(
    "state",
    [
        SECRET | {"value": "hunter2-hunter2"},
        SECRET | {"plaintext": {"4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4", "value": "h2"}},
        {"4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4", "secret": True, "value": "x"},
        json.dumps({"inner": SECRET | {"plaintext": "x"}}),
        "[secret]",
    ],
)
def test_every_form_of_a_marked_secret(write: Write, state: Any) -> None:
    changed = step("create", new={"a": state})
    assert properties(write(changed)) == [(("a",), Mark.ABSENT, Mark.SECRET)]


def test_outputs_that_a_program_names_as_secret(write: Write) -> None:
    changed = step("update", old={"key": "aaaa"}, new={"key": "bbbb"}, detailedDiff={"key": UPDATE})
    changed["newState"]["additionalSecretOutputs"] = ["key"]
    assert properties(write(changed)) == [(("key",), Mark.SECRET, Mark.SECRET)]


@pytest.mark.parametrize(
    ("inputs", "shown"),
    [
        ({"password": "x"}, Mark.SECRET),
        ({"clientSecret": "x"}, Mark.SECRET),
        ({"secretKey": "x"}, Mark.SECRET),
        ({"DB_PASSWORD": "x"}, Mark.SECRET),
        ({"apiKeySecret": "dev-api-key"}, "dev-api-key"),
        ({"accessKey": "SCWKBATIKAN7ISCGYC1W"}, "SCWKBATIKAN7ISCGYC1W"),
        ({"automountServiceAccountToken": False}, False),
        ({"env": [{"name": "API_TOKEN", "value": "x"}]}, [{"name": "API_TOKEN", "value": Mark.SECRET}]),
        ({"env": [{"name": "REGION", "value": "x"}]}, [{"name": "REGION", "value": "x"}]),
    ],
)
def test_properties_that_are_secret_by_their_name(write: Write, inputs: dict[str, Any], shown: Any) -> None:
    assert [new for _, _, new in properties(write(step("create", new=inputs)))] == [shown]


def test_unknown_values_and_outputs_that_the_update_makes(write: Write) -> None:
    changed = step(
        "update",
        old={"a": "x", "b": [1]},
        new={"a": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"},
        detailedDiff={"a": UPDATE, "b": UPDATE, 'c["x.y"]': {"kind": "delete"}},
    )
    assert properties(write(changed)) == [
        (("a",), "x", Mark.UNKNOWN),
        (("b",), [1], Mark.UNKNOWN),
        (("c", "x.y"), Mark.ABSENT, Mark.ABSENT),
    ]


def test_long_values_are_taken_apart(write: Write) -> None:
    old, new = {"rules": [{"a": 1, "b": 2}, {"c": 3}]}, {"rules": [{"a": 1, "b": 5}]}
    changed = step("update", old=old, new=new, detailedDiff={"rules": UPDATE})
    assert properties(write(changed)) == [(("rules", 0, "b"), 2, 5), (("rules", 1), {"c": 3}, Mark.ABSENT)]


@pytest.mark.parametrize("more", [{"diffReasons": ["a"]}, {}])
def test_providers_without_a_detailed_diff(write: Write, more: dict[str, Any]) -> None:
    changed = step("update", old={"a": 1, "b": 1}, new={"a": 2, "b": 1}, detailedDiff=None, **more)
    assert properties(write(changed)) == [(("a",), 1, 2)]


def test_a_resource_that_was_deleted_outside(write: Write) -> None:
    found = read(write(step("refresh", old={"a": 1}), step("create", new={"a": 1})))
    assert [(d.urn, d.gone) for d in found.drift] == [(f"{PREFIX}kubernetes:core/v1:ConfigMap::it", True)]


def test_counts_of_a_preview_that_was_stopped_before_it_counted(write: Write) -> None:
    found = read(write(step("create", "a", new={}), step("create", "b", new={}), step("same", "c"), diagnostics=[]))
    assert found.counts == {"create": 2, "same": 1}


# --- what is wrong ----------------------------------------------------------------------------------------------------

GOOD = (SAMPLES / "changes.json").read_text()
EVENTS = (SAMPLES / "failed.events").read_text()


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("error: no stack selected\n", "is not JSON (line 1, column 1)"),
        ("[]", "is not JSON (line 1, column 1)"),
        ("{}", "is JSON, but neither a preview nor an event log"),
        ('{"kind": "List"}', "is JSON, but neither a preview nor an event log"),
        (GOOD[: len(GOOD) // 2], "ends too early: it is cut off"),
        (GOOD + "{}", "is not JSON (line"),
        (GOOD.replace('"steps": [', '"steps": [ nonsense,', 1), "is not JSON (line"),
        ('{"steps": 5}', "is no preview: its steps are no list"),
        ('{"steps": [{}]}', "is no preview: its step 1 has no op and urn"),
        (EVENTS[: len(EVENTS) // 2], "is cut off or is not JSON in line"),
        (EVENTS.splitlines()[0] + "\n", "is cut off: it holds no summaryEvent"),
        ('{"config": ' + "[" * 100_000, "is nested too deeply to be a preview"),
        ('{"duration": ' + "1" * 5_000 + "}", "holds a number that is too long"),
        (GOOD.replace("urn:pulumi:dev::", "urn:pulumi:prod::"), "is a preview of another stack than dev"),
    ],
)
def test_what_is_no_preview(tmp_path: Path, content: str, wrong: str) -> None:
    file = tmp_path / "preview.json"
    file.write_text(content)
    with pytest.raises(CiError) as caught:
        read(file)
    text = str(caught.value)
    assert text.startswith(f"{file} {wrong}")
    assert text.endswith(
        f"Make it with: pulumi preview --json -s dev > {file}   # or: "
        f"PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true pulumi preview --json -s dev > {file}"
    )
    assert "\n" not in text


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CiError, match=r"nothing cannot be read: No such file or directory\. Make it with"):
        read(tmp_path / "nothing")
    with pytest.raises(CiError, match="cannot be read: Is a directory"):
        read(tmp_path)
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe{\0")
    with pytest.raises(CiError, match="is not UTF-8 text"):
        read(binary)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "preview.json"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert read(file).resources


KEYS = """steps op urn detailedDiff oldState newState inputs changeSummary diagnostics message severity config a kind
replaceReasons 4dabf18193072939515e22adb298388d metadata resourcePreEvent resOutputsEvent policyEvent summaryEvent
diagnosticEvent old new sequence"""
keys = st.sampled_from(sorted(KEYS.split()))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["update", "refresh", "create", "error", f"{PREFIX}a:b/c:C::n", "urn:pulumi:dev", "a[0].b", "\ud800"]
    ),
)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=5)),
    max_leaves=25,
)


@given(documents=st.lists(st.dictionaries(keys, anything, max_size=5), min_size=1, max_size=4))
@example(documents=[{"steps": [{"op": "update", "urn": "x", "detailedDiff": {"": {"kind": 5}}}]}])
@example(documents=[{"steps": [{"op": "update", "urn": "x", "diffReasons": 5, "replaceReasons": {"a": 1}}]}])
@example(documents=[{"changeSummary": {"create": True, "x": -1, "y": "z"}, "steps": None}])
@example(documents=[{"sequence": 0, "resourcePreEvent": {"metadata": []}}])
def test_any_json_gives_a_report_or_an_error_of_one_line(
    tmp_path_factory: pytest.TempPathFactory, documents: list[Any]
) -> None:
    file = tmp_path_factory.mktemp("any") / "preview"
    file.write_text("\n".join(map(json.dumps, documents)))
    wrong = ""
    try:
        found = read(file)
    except CiError as error:
        wrong = str(error)
    if wrong:
        assert "\n" not in wrong
        return
    report = Report(found, Redactor(), RUN)
    note.markdown(report).encode()
    terminal.text(report, colour=True).encode()


@given(cut=st.integers(0, len(GOOD) - 2))
def test_a_preview_that_was_cut_off_is_never_taken_for_a_whole_one(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    file = tmp_path_factory.mktemp("cut") / "preview"
    file.write_text(GOOD[:cut])
    with pytest.raises(CiError, match=r"cut off|is empty"):
        read(file)
