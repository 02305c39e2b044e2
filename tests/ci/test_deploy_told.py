"""What a deployment tells while it is done and afterwards, and that no secret is in it. A script stands in for the engine
(`fake_pulumi`); what it writes is of the real one, or in its form.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.ci.conftest import SAMPLES
from tests.ci.fake_pulumi import NO_PLAN, NOTHING, UNCHANGED, Deployment, error, lines
from tests.ci.plan_samples import planned, text_of_plan, urn

PREVIEWED, DEPLOYED, PLAN = ((SAMPLES / name).read_text() for name in ("plan.events", "deployed.events", "plan.json"))


def event(kind: str, operation: str, name: str = "a", custom: bool | None = None) -> dict[str, Any]:
    state = {} if custom is None else {"custom": custom}
    return {kind: {"metadata": {"op": operation, "urn": urn(name), "new": state or None, "old": None}}}


def test_what_is_done_is_told_and_a_failure_has_its_code(deployment: Deployment) -> None:
    untold = ("same", "refresh", "read", "replace", "remove-pending-replace")
    out = lines(
        *(event("resOutputsEvent", operation, "untold") for operation in untold),
        event("resourcePreEvent", "create", "begun"),
        event("resOutputsEvent", "create", "component", custom=False),
        event("resOutputsEvent", "create", "one", custom=True),
        event("resOutputsEvent", "import-replacement", "two"),
        {"resOutputsEvent": {"metadata": {"op": "create"}}},
        event("resOpFailedEvent", "update", "three"),
        error("the cloud says no\n", urn("three")),
        {"diagnosticEvent": {"severity": "debug", "message": "a debug message"}},
        {"summaryEvent": {"result": "failed", "resourceChanges": {"create": 1}}},
    )
    deployment.pulumi.does("preview", UNCHANGED)
    deployment.pulumi.does("up", out, err="warning: careful\n", code=255)
    kind = "(kubernetes:core/v1:ConfigMap)"
    assert deployment.run() == (
        255,
        f"{NO_PLAN}{NOTHING}warning: careful\n  created one {kind}\n  imported two {kind}\n  failed three {kind}\n\n"
        f"Deployment of dev (kapsule-devops): failed, 1 change\n  create 1, refresh 1\n  error three {kind}\n"
        "    the cloud says no\n\n",
        "",
    )


@pytest.mark.parametrize("failed", [True, False])
def test_a_step_that_was_not_tried_is_told_where_nothing_tells_why(deployment: Deployment, failed: bool) -> None:
    out = lines(
        *([error("the cloud says no\n", urn("three"))] if failed else []),
        error("expected resource operations for urn:four but none were seen\n", urn("four")),
        {"summaryEvent": {"result": "failed", "resourceChanges": {}}},
    )
    deployment.pulumi.does("preview", UNCHANGED)
    deployment.pulumi.does("up", out, code=255)
    _, told, _ = deployment.run()
    assert ("the cloud says no" in told) == failed
    assert ("expected resource operations for urn:four" in told) == (not failed)


def test_an_update_that_ends_before_it_begins_says_why(deployment: Deployment) -> None:
    deployment.pulumi.does("preview", UNCHANGED)
    deployment.pulumi.does("up", err="error: the stack is currently locked\n", code=255)
    assert deployment.run() == (255, f"{NO_PLAN}{NOTHING}error: the stack is currently locked\n", "")


@pytest.mark.parametrize("code", [0, 137])
def test_of_an_update_that_was_killed_its_code_counts(deployment: Deployment, code: int) -> None:
    deployment.pulumi.does("preview", UNCHANGED)
    deployment.pulumi.does("up", json.dumps(event("resOutputsEvent", "create")) + "\n", code=code)
    assert deployment.run() == (
        code,
        f"{NO_PLAN}{NOTHING}  created a (kubernetes:core/v1:ConfigMap)\nwarning: what pulumi wrote is cut off: it holds no "
        "summaryEvent, or pulumi was stopped.\n",
        "",
    )


def test_colours(deployment: Deployment) -> None:
    deployment.pulumi.does("preview", PREVIEWED)
    deployment.pulumi.does("up", DEPLOYED)
    for more, coloured in (({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False), ({}, False)):
        assert ("\x1b[1m" in deployment.run(**more)[1]) is coloured


# --- secrets ----------------------------------------------------------------------------------------------------------

SECRET = "tHe-SeCrEt-of-this-job"


def test_an_update_that_leaves_its_plan_tells_no_value(deployment: Deployment) -> None:
    """The engine writes the values as they are, and nothing knows which of them is secret."""
    message = (
        f"resource {urn('a')} violates plan: properties changed: ++value[{{&{{{{the-secret\nin-two-lines}}}}}}], "
        "~~x[{the-old}!={the-new}]\n"
    )
    deployment.pulumi.does("preview", UNCHANGED)
    deployment.pulumi.does("up", lines(error(message, urn("a")), {"summaryEvent": {"result": "failed"}}), code=255)
    code, out, err = deployment.run()
    assert (code, err) == (255, "")
    for part in ("the-secret", "in-two-lines", "the-old", "the-new"):
        assert part not in out
    assert "violates plan: properties changed: (their values are not shown: secrets may be among them)" in " ".join(
        out.split()
    )


def test_no_secret_of_the_job_is_told_wherever_the_engine_says_it(deployment: Deployment) -> None:
    said = f"warning: https://user:{SECRET}@host\n"
    told = lines(
        error(f"with {SECRET}\n", urn(SECRET)),
        event("resOutputsEvent", "create", f"a-{SECRET}"),
        {"resourcePreEvent": {"metadata": {
            "op": "update", "urn": urn("a"), "old": {"inputs": {"x": "1"}}, "new": {"inputs": {"x": SECRET}},
            "detailedDiff": {"x": {"diffKind": "update"}},
        }}},
    )  # fmt: skip
    now = text_of_plan(a=planned("update", updates={"x": f"<{SECRET}>", SECRET: 1}))
    deployment.pulumi.does("preview", told, err=said, plan=now)
    deployment.pulumi.does("up", told, err=said)
    deployment.reviewed.write_text(text_of_plan(a=planned("update", updates={"x": "other"})))
    gone = deployment.reviewed.parent / SECRET
    for arguments in ([], [f"--plan={deployment.reviewed}"], [f"--plan={gone}"], [f"--policy-pack={gone}"]):
        for colour in ({}, {"FORCE_COLOR": "1"}):
            _, out, err = deployment.run(*arguments, MY_TOKEN=SECRET, **colour)
            assert SECRET not in out + err
            assert "[secret]" in out + err


def test_a_secret_that_is_marked_is_not_told_where_a_plan_does_not_fit(deployment: Deployment) -> None:
    reviewed = PLAN.replace('"API_KEY"', '"OTHER"')
    deployment.reviewed.write_text(reviewed)
    deployment.pulumi.does("preview", PREVIEWED, plan=PLAN)
    code, out, _ = deployment.run(f"--plan={deployment.reviewed}")
    assert code == 1
    assert out.endswith(
        "  key (gitlab:index:ProjectVariable): reviewed: created; now: created\n"
        '    - key: "OTHER"\n    + key: "API_KEY"\n\n'
    )


def test_a_key_file_that_cannot_be_read_is_told(deployment: Deployment, tmp_path: Path) -> None:
    broken = tmp_path / "config.yaml"
    broken.write_text("a: [")
    deployment.pulumi.does("preview", err="error: no\n", code=1)
    assert deployment.run(SCW_CONFIG_PATH=str(broken)) == (
        1,
        f"warning: {broken} cannot be read (ParserError): what it holds cannot be told from others.\n{NO_PLAN}error: no\n",
        "",
    )
