"""The engine's commands, and what their errors mean; a script stands in for the engine (`fake_pulumi`)."""

import json
from pathlib import Path
from typing import Any

import pytest

from ci.errors import CiError
from ci.redaction import Redactor
from repair.stack import Holder, LockedError, Stack
from tests.ci.fake_pulumi import FakePulumi
from tests.repair.things import KEY, step

LOCKED = """error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete it
  file:///state/.pulumi/locks/1.json: created by root@builder (pid 123) at 2026-11-24T00:00:00+01:00
"""


@pytest.fixture
def pulumi(tmp_path: Path) -> FakePulumi:
    made = FakePulumi(tmp_path / "bin")
    for command in ("stack", "refresh", "cancel", "import"):
        made.does(command)
    return made


@pytest.fixture
def stack(pulumi: FakePulumi) -> Stack:
    return Stack(name="dev", environment={"PATH": pulumi.path})


def _export(**deployment: Any) -> str:
    return json.dumps({"version": 3, "deployment": deployment})


def test_the_state_is_read_with_what_was_cut_off(stack: Stack, pulumi: FakePulumi) -> None:
    old = step("same", "vpc", id_="fr-par/1")["oldState"]
    begun = step("create", "key", KEY)["newState"]
    pulumi.does("stack", _export(resources=[old], pending_operations=[{"resource": begun, "type": "creating"}]))
    state = stack.export()
    assert [(r.name, r.id) for r in state.resources] == [("vpc", "fr-par/1")]
    assert state.pending == (begun["urn"],)
    assert pulumi.arguments("stack") == ["stack", "export", "--stack", "dev", "--non-interactive", "--color", "never"]


def test_where_there_is_no_engine_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(CiError) as caught:
        Stack(name="dev", environment={"PATH": str(tmp_path)}).export()
    assert str(caught.value) == (
        "pulumi cannot be started (No such file or directory): it must be on the PATH, or nothing of the stack dev can be "
        "read or changed. Fix: install Pulumi: https://www.pulumi.com/docs/install/"
    )


def test_an_empty_state_is_one(stack: Stack, pulumi: FakePulumi) -> None:
    pulumi.does("stack", json.dumps({"version": 3, "deployment": None}))
    assert stack.export().resources == ()


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ("error: no stack named 'dev' found", "docs/runbooks/lost-state.md"),
        ("error: failed to load checkpoint: unexpected end of JSON input", "docs/runbooks/restore.md"),
        ("error: invalid character 'x' looking for beginning of value", "docs/runbooks/restore.md"),
        ("error: something else", "ended with 255: something else"),
    ],
)
def test_a_state_that_cannot_be_had_is_told_with_what_mends_it(
    stack: Stack, pulumi: FakePulumi, said: str, fix: str
) -> None:
    pulumi.does("stack", err=said, code=255)
    with pytest.raises(CiError, match=fix.replace(".", r"\.")):
        stack.export()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"deployment": {"resources": [{"no": "urn"}]}}', '{"deployment": 3}'])
def test_what_is_no_state_is_no_traceback(stack: Stack, pulumi: FakePulumi, text: str) -> None:
    pulumi.does("stack", text)
    with pytest.raises(CiError, match=r"restore\.md"):
        stack.export()


def test_a_replacement_is_one_operation_of_one_resource(stack: Stack, pulumi: FakePulumi) -> None:
    steps = [
        step("create-replacement", "vpc", id_="fr-par/1"),
        step("replace", "vpc", id_="fr-par/1"),
        step("create", "key", KEY),
        step("delete-replaced", "vpc", id_="fr-par/1"),
    ]
    pulumi.does("preview", json.dumps({"steps": steps}))
    assert [(r.name, r.operation, r.id) for r in stack.declared()] == [
        ("vpc", "replace", "fr-par/1"),
        ("key", "create", ""),
    ]
    # Without it, what stays the same is left out, and would look like what the state does not know.
    assert "--show-sames" in (pulumi.arguments("preview") or [])


def test_why_a_preview_fails_is_told(stack: Stack, pulumi: FakePulumi) -> None:
    document = {"steps": [], "diagnostics": [{"severity": "error", "message": "projects.target: must have a name"}]}
    pulumi.does("preview", json.dumps(document), code=255)
    with pytest.raises(CiError, match=r"projects\.target: must have a name"):
        stack.declared()


def test_no_secret_is_in_what_the_engine_said(pulumi: FakePulumi) -> None:
    secret = "glpat-" + "x" * 20
    stack = Stack(name="dev", environment={"PATH": pulumi.path}, redactor=Redactor(["correct-horse"]))
    message = f"{'long ' * 117}{secret}: refused, as was correct-horse"  # the cut would go through it
    pulumi.does(
        "preview", json.dumps({"steps": [], "diagnostics": [{"severity": "error", "message": message}]}), code=255
    )
    pulumi.does("cancel", err="error: correct-horse is no passphrase\n", code=255)
    with pytest.raises(CiError, match=r"\[secret\]") as preview:
        stack.declared()
    with pytest.raises(CiError, match=r"\[secret\] is no passphrase"):
        stack.cancel()
    assert "glpat" not in str(preview.value)


def test_who_holds_the_lock_is_told(stack: Stack, pulumi: FakePulumi) -> None:
    pulumi.does("refresh", err=LOCKED, code=255)
    with pytest.raises(LockedError) as error:
        stack.refresh()
    assert error.value.holders == (Holder(user="root", host="builder", pid=123, since="2026-11-24T00:00:00+01:00"),)


def test_a_refresh_that_fails_says_why_and_what_to_do(stack: Stack, pulumi: FakePulumi) -> None:
    pulumi.does("refresh", err="error: could not read plugin\n", code=255)
    with pytest.raises(CiError, match="pulumi refresh of dev fails: could not read plugin"):
        stack.refresh()


def test_a_file_is_taken_in_without_protecting_anything(stack: Stack, pulumi: FakePulumi) -> None:
    stack.take({"nameTable": {}, "resources": []})
    arguments = pulumi.arguments("import") or []
    assert {"--yes", "--skip-preview", "--protect=false", "--generate-code=false"} <= set(arguments)
    pulumi.does("import", err="error: resource 'x' does not exist\n", code=255)
    with pytest.raises(CiError, match="pulumi import of dev ended with 255: resource 'x' does not exist"):
        stack.take({})
