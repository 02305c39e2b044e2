"""This repository's pipeline: which jobs run when, where and how, and where its Scaleway key comes from."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pipelines.events import Ask, branch, in_words, jobs, merge_request, schedule, tag

ROOT = Path(__file__).parents[2]
FILE = ROOT / ".gitlab-ci.yml"

Expanded = Callable[[Path], dict[str, dict[str, Any]]]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (branch("feature/x"), {"check"}),
        (merge_request("feature/x", "main"), {"check", "test", "preview:dev"}),
        (branch("main"), {"check", "deploy:dev", "promote:preprod"}),
        (branch("main", CI_OPEN_MERGE_REQUESTS="acme/platform!3"), {"check", "deploy:dev", "promote:preprod"}),
        (merge_request("main", "preprod"), {"check", "test", "preview:preprod"}),
        (branch("preprod"), {"check", "deploy:preprod", "promote:prod"}),
        (merge_request("preprod", "prod"), {"check", "test", "preview:prod"}),
        (branch("prod"), {"check", "deploy:prod"}),
        (schedule("main", "rotation"), {"deploy:dev"}),
        (schedule("main", "drift"), {"drift:dev"}),
        (schedule("preprod", "rotation"), {"deploy:preprod"}),
        (schedule("preprod", "drift"), {"drift:preprod"}),
        (schedule("prod", "rotation"), {"deploy:prod"}),
        (schedule("prod", "drift"), {"drift:prod"}),
        (tag("v1.0.0"), {"check", "test"}),
    ],
    ids=in_words,
)
def test_exactly_these_jobs_run(ask: Ask, variables: dict[str, str | None], expected: set[str]) -> None:
    assert jobs(ask, FILE, variables) == expected


def test_a_branch_with_an_open_merge_request_has_no_pipeline_of_its_own(ask: Ask) -> None:
    """The tool lists jobs whatever `workflow` says, so its rules are read here, in their order."""
    rules = yaml.safe_load(FILE.read_text())["workflow"]["rules"]
    first = next(i for i, r in enumerate(rules) if "CI_OPEN_MERGE_REQUESTS" in r["if"])
    assert rules[first] == {"if": "$CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS", "when": "never"}
    before = " ".join(r["if"] for r in rules[:first])
    assert {"main", "preprod", "prod"} == set(re.findall(r'\$CI_COMMIT_BRANCH == "(\w+)"', before))
    assert rules[first + 1] == {"if": "$CI_COMMIT_BRANCH"}


ENVIRONMENTS = ("dev", "preprod", "prod")


def test_each_job_says_where_and_how_it_runs(expanded: Expanded) -> None:
    found = expanded(FILE)
    assert len(found) == 13
    for name, job in found.items():
        assert re.search(r":[0-9.]+$", str(job["image"])) or "name" in str(job["image"]), name
        assert len(job["tags"]) == 1, name
        assert job["rules"], name
        assert job["timeout"], name
        assert job["cache"], name


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_previews_read_and_deployments_are_alone_and_are_never_interrupted(
    expanded: Expanded, environment: str
) -> None:
    found = expanded(FILE)
    preview, deploy = found[f"preview:{environment}"], found[f"deploy:{environment}"]
    assert preview["tags"] == [f"k8s-{environment}-preview-runner"]
    assert preview["environment"] == {"name": environment, "action": "access"}
    for job in (deploy, found[f"drift:{environment}"]):
        assert job["tags"] == [f"k8s-{environment}-runner"]
        assert job["resource_group"] == environment
    assert deploy["interruptible"] is False
    assert preview["interruptible"] is True


def test_every_run_of_the_program_is_checked_by_the_policies(expanded: Expanded) -> None:
    runs = [
        (name, line)
        for name, job in expanded(FILE).items()
        for line in job["script"]
        if re.search(r"\bpulumi (up|preview)\b|\bci\.deploy\b", line)
    ]
    assert len(runs) == 9
    for name, line in runs:
        assert '--policy-pack "$PWD/policies"' in line, name


def test_the_key_comes_from_the_mounted_file_and_no_variable_holds_one(expanded: Expanded) -> None:
    for name, job in expanded(FILE).items():
        variables: dict[str, str] = job.get("variables") or {}
        assert not {v for v in variables if re.search("SECRET_KEY|ACCESS_KEY|API_KEY", v)}, name
        if re.search(r"pulumi |ci\.deploy", " ".join(job["script"])):
            assert variables["SCW_CONFIG_PATH"] == "/root/.config/scw/config.yaml", name
