"""What the program declares for each kind of GitLab (`gitlab.enterprise`, `gitlab.premium`).

And that the provider of that kind takes all of it.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from sandbox.gitlab_plugin import checks
from sandbox.gitlab_plugin.table import RESOURCES

Program = Any  # conftest's, which is no module to import from
RunProgram = Callable[..., Program]

KINDS = {"community": (False, False), "free": (True, False), "premium": (True, True)}
GITLAB = {
    "project": "acme/app",
    "mailingListUserId": 2,
    "operationsProject": "acme/app",
    "releaseTags": "v*",
    "branch": {"name": "main", "mergeAccessLevel": "developer"},
}
TODAY = date(2026, 11, 23)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def program(run_program: RunProgram, kind: str) -> Program:
    return _of(run_program, kind)


def _of(run_program: RunProgram, kind: str, **settings: Any) -> Program:
    enterprise, premium = KINDS[kind]
    return run_program("dev", {"gitlab": GITLAB | {"enterprise": enterprise, "premium": premium} | settings})


def _declared(program: Program) -> list[dict[str, Any]]:
    return [r for r in program.resources.values() if r["type"] in RESOURCES]


def test_the_provider_of_the_kind_takes_every_input(program: Program, kind: str) -> None:
    """Names, types and choices of each, which are the SDK's; and nothing that the other distribution has alone."""
    declared = _declared(program)
    assert {r["type"] for r in declared} == {
        r["type"] for r in program.resources.values() if "gitlab:index" in r["type"]
    }
    for resource in declared:
        known, inputs = RESOURCES[resource["type"]], resource["inputs"]
        if known.label == "PipelineScheduleVariable":
            inputs = {"pipelineScheduleId": 1} | inputs  # GitLab gives the number, and a mock none
        assert checks.failures(known, inputs, TODAY) == [], resource["name"]
        assert checks.edition_failures(known, inputs, KINDS[kind][0]) == [], resource["name"]


def test_the_other_distribution_refuses_the_branch(program: Program, kind: str) -> None:
    """And nothing else: all that the setting changes is there."""
    refused = {
        resource["name"]
        for resource in _declared(program)
        if checks.edition_failures(RESOURCES[resource["type"]], resource["inputs"], not KINDS[kind][0])
    }
    assert refused == {"gitlab-branch"}


def test_both_distributions_protect_the_branch_alike(run_program: RunProgram) -> None:
    levels = {}
    for kind in KINDS:
        inputs = _of(run_program, kind).resources["gitlab-branch"]["inputs"]
        assert inputs["allowForcePush"] is False
        if kind == "community":
            levels[kind] = (inputs["pushAccessLevel"], inputs["mergeAccessLevel"])
        else:
            ((push,), (merge,)) = inputs["allowedToPushes"], inputs["allowedToMerges"]
            assert set(push) == set(merge) == {"accessLevel"}, "naming people needs a licence"
            levels[kind] = (push["accessLevel"], merge["accessLevel"])
    assert levels == dict.fromkeys(KINDS, ("no one", "developer"))


def test_deployments_are_protected_with_a_licence_only(run_program: RunProgram) -> None:
    """The environment itself and the tags are free."""
    names = {kind: {r["name"] for r in _declared(_of(run_program, kind))} for kind in KINDS}
    assert names["community"] == names["free"]
    assert names["premium"] - names["free"] == {"gitlab-deployments"}
    assert {"gitlab-environment", "gitlab-release-tags"} <= names["free"]


@pytest.mark.parametrize("approvals", [0, 2])
def test_a_protected_deployment_has_its_levels_and_approvals(run_program: RunProgram, approvals: int) -> None:
    deployment = {"deployAccessLevel": "developer", "requiredApprovals": approvals}
    inputs = _of(run_program, "premium", deployment=deployment).resources["gitlab-deployments"]["inputs"]
    assert inputs["deployAccessLevelsAttributes"] == [{"accessLevel": "developer"}]
    rules = [{"accessLevel": "maintainer", "requiredApprovals": approvals}] if approvals else []
    assert inputs.get("approvalRules", []) == rules
