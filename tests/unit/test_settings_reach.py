"""The rules about which projects a runner serves, and with whose key: right, one changed, the exact words."""

from collections.abc import Callable
from typing import Any

from components.naming import RunnerNames

Problems = Callable[..., list[str]]

OPERATE = {"name": "operate", "givenKey": True, "projects": ["acme/platform"], "tag": "k8s-dev-runner"}
DEPLOY = {"name": "deploy", "projects": ["acme/app"]}
FILE = "(Pulumi.dev.yaml)"


def test_a_runner_may_serve_one_project_with_a_given_key_and_the_tag_of_another(parse: Any) -> None:
    operate = parse({"runners": [DEPLOY, OPERATE]}).runners[1]
    assert (operate.given_key, operate.projects, operate.tag) == (True, ("acme/platform",), "k8s-dev-runner")
    assert RunnerNames("dev", "operate", operate.tag).tag == "k8s-dev-runner"
    assert RunnerNames("dev", "operate").tag == "k8s-dev-operate-runner"


def test_a_project_that_the_environment_does_not_serve_has_no_runner(problems: Problems) -> None:
    assert problems({"runners": [{"projects": ["acme/app", "acme/other"]}]}) == [
        f"runners[0].projects[1] = 'acme/other' {FILE}: must be gitlab.project or one of gitlab.furtherProjects, or the "
        "runner is registered nowhere. Fix: pulumi config rm --path 'runners[0].projects[1]'"
    ]


def test_a_given_key_may_be_for_merge_requests(parse: Any) -> None:
    """What it may do, its maker says: the runner `review` of the README."""
    review = {"name": "review", "givenKey": True, "protected": False, "projects": ["acme/platform"]}
    assert parse({"runners": [review]}).runners[0].protected is False


def test_a_given_key_is_for_projects_that_are_named(problems: Problems) -> None:
    assert problems({"runners": [{**OPERATE, "projects": []}]}) == [
        f"runners[0].projects {FILE}: must name the projects where givenKey is true, or every project's jobs may use a key "
        "that reaches beyond one project. Fix: pulumi config set --path 'runners[0].projects[0]' acme/platform"
    ]


def test_what_a_given_key_may_do_is_not_said_here(problems: Problems) -> None:
    wrong = {**OPERATE, "permissionSets": ["KubernetesFullAccess"], "condition": "true"}
    rule = "must not be set where givenKey is true: whoever makes the key says what it may do, or what is written here does"
    assert problems({"runners": [wrong]}) == [
        f"runners[0].{key} {FILE}: {rule} nothing. Fix: pulumi config rm --path 'runners[0].{key}'"
        for key in ("permissionSets", "condition")
    ]


def test_a_job_finds_one_runner_by_a_chosen_tag(parse: Any, problems: Problems) -> None:
    review = {**OPERATE, "name": "review"}
    assert problems({"runners": [OPERATE, review]}) == [
        f"runners[1].tag = 'k8s-dev-runner' {FILE}: must not be that of runner operate, which serves the same project, or "
        "it is chance whose key a job finds. Fix: pulumi config rm --path 'runners[1].tag'"
    ]
    assert len(parse({"runners": [OPERATE, {**DEPLOY, "tag": "k8s-dev-runner"}]}).runners) == 2
