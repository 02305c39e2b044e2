"""An application's pipeline (examples/app-pipeline): which jobs run when, and that the shipped environments run them."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.naming import RunnerNames
from sections.jobs import RunnerSettings
from tests.pipelines.events import Ask, branch, in_words, jobs, merge_request, schedule, tag

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "app-pipeline"
FILE = EXAMPLE / ".gitlab-ci.yml"
BRANCHES = {"dev": "main", "preprod": "preprod", "prod": "prod"}

Expanded = Callable[[Path], dict[str, dict[str, Any]]]


@pytest.fixture
def found(expanded: Expanded) -> dict[str, dict[str, Any]]:
    return expanded(FILE)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (branch("feature/x"), {"build"}),
        (branch("hotfix/x"), {"build"}),
        (merge_request("feature/x", "main"), {"build", "preview:dev"}),
        (branch("main"), {"build", "deploy:dev", "rollout:dev", "promote:preprod"}),
        (merge_request("main", "preprod"), {"build", "preview:preprod"}),
        (branch("preprod"), {"build", "deploy:preprod", "rollout:preprod", "promote:prod"}),
        (merge_request("preprod", "prod"), {"build", "preview:prod"}),
        (branch("prod"), {"build", "deploy:prod", "rollout:prod"}),
        (merge_request("hotfix/x", "prod"), {"build", "preview:prod"}),
        (merge_request("hotfix/x", "main"), {"build", "preview:dev"}),
        (schedule("main", "rotation"), set()),
        (schedule("prod", "drift"), set()),
        (schedule("feature/x", ""), set()),
        (tag("v1.0.0"), set()),
        (branch("something"), set()),
    ],
    ids=in_words,
)
def test_exactly_these_jobs_run(ask: Ask, variables: dict[str, str | None], expected: set[str]) -> None:
    assert jobs(ask, FILE, variables) == expected


def test_no_push_has_two_pipelines() -> None:
    """The tool lists jobs whatever `workflow` says, so its rules are read here, in their order."""
    rules = yaml.safe_load(FILE.read_text())["workflow"]["rules"]
    assert rules[0] == {"if": '$CI_PIPELINE_SOURCE == "schedule"', "when": "never"}
    assert rules[1] == {"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}
    assert set(re.findall(r'\$CI_COMMIT_BRANCH == "(\w+)"', rules[2]["if"])) == set(BRANCHES.values())
    assert rules[3] == {"if": "$CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS", "when": "never"}
    assert rules[4:] == [{"if": r"$CI_COMMIT_BRANCH =~ /^(feature|hotfix)\//"}]


def runners_of_the_stack_files() -> dict[str, tuple[str, bool, str]]:
    """Each tag that the shipped environments have: environment, whether for protected branches only, branch."""
    runners = {}
    for environment in BRANCHES:
        config = yaml.safe_load((ROOT / f"Pulumi.{environment}.yaml").read_text())["config"]
        assert config["kapsule-devops:gitlab"]["project"] == "acme/app", "whose repository it is"
        for each in config["kapsule-devops:runners"]:
            settings = RunnerSettings.model_validate(each)
            assert not settings.projects or "acme/app" in settings.projects
            tag = RunnerNames(environment, settings.name, settings.tag).tag
            runners[tag] = (environment, settings.protected, config["kapsule-devops:gitlab"]["branch"]["name"])
    return runners


def test_each_job_names_a_runner_that_its_branch_may_use(found: dict[str, dict[str, Any]]) -> None:
    runners = runners_of_the_stack_files()
    assert {name: branch for name, _, branch in runners.values()} == BRANCHES
    for name, job in found.items():
        (tag,) = job["tags"]
        environment, protected, branch = runners[tag]
        rules = " ".join(rule["if"] for rule in job["rules"])
        if protected:
            assert re.findall(r'\$CI_COMMIT_BRANCH == "(\w+)"', rules) == [branch], name
            assert "merge_request_event" not in rules, name
        if "environment" in job:
            assert job["environment"]["name"] == environment, name


def test_each_job_says_where_and_how_it_runs(found: dict[str, dict[str, Any]]) -> None:
    assert len(found) == 12
    for name, job in found.items():
        image = job["image"] if isinstance(job["image"], str) else job["image"]["name"]
        assert re.search(r":v?\d+(\.\d+)+$", image), name
        assert job["rules"], name
        assert job["timeout"], name
        assert isinstance(job["cache"], dict | list), name
        limit = {"1 hour": 3600}.get(job["timeout"]) or int(job["timeout"].removesuffix(" minutes")) * 60
        assert limit <= RunnerSettings().job_timeout_seconds, "or the runner's own limit ends it"


@pytest.mark.parametrize("environment", BRANCHES)
def test_deployments_are_alone_and_are_never_interrupted(found: dict[str, dict[str, Any]], environment: str) -> None:
    for name in (f"deploy:{environment}", f"rollout:{environment}"):
        job = found[name]
        assert job["stage"] == environment
        assert job["environment"] == {"name": environment}
        assert (job["resource_group"], job["interruptible"], job["retry"]) == (environment, False, 0)
    preview = found[f"preview:{environment}"]
    assert preview["environment"] == {"name": environment, "action": "access"}
    assert preview["interruptible"] is True
    assert "resource_group" not in preview


def test_a_promotion_waits_for_what_it_promotes(found: dict[str, dict[str, Any]]) -> None:
    for source, target in (("dev", "preprod"), ("preprod", "prod")):
        job = found[f"promote:{target}"]
        assert [need if isinstance(need, str) else need["job"] for need in job["needs"]] == [f"rollout:{source}"]
        assert job["environment"] == {"name": source, "action": "access"}, "whose token it is"
        assert job["variables"]["TARGET_BRANCH"] == target
        assert job["interruptible"] is False


def test_keys_come_from_mounted_files_and_no_variable_holds_one(found: dict[str, dict[str, Any]]) -> None:
    everywhere = yaml.safe_load(FILE.read_text())["variables"]
    for name, job in found.items():
        variables: dict[str, str] = {**everywhere, **(job.get("variables") or {})}
        assert not {v for v in variables if re.search("KEY|SECRET|TOKEN|PASS|CREDENTIAL", v)}, name
        script = "\n".join([*job.get("before_script", []), *job["script"]])
        if "deploy.sh " in script and name != "build":
            assert variables["SCW_CONFIG_PATH"] == "/root/.config/scw/config.yaml", name
        if "kubectl " in script:
            assert variables["KUBECONFIG"] == "/root/.kube/config", name
        assert not re.search("kubeconfig (get|install)", script), "the administrator's"


def test_previews_only_look(found: dict[str, dict[str, Any]]) -> None:
    for environment in BRANCHES:
        assert found[f"preview:{environment}"]["script"] == ['sh deploy.sh --preview "$ENVIRONMENT"']
        assert found[f"deploy:{environment}"]["script"] == ['sh deploy.sh "$ENVIRONMENT"']
        assert found[f"deploy:{environment}"]["variables"]["ENVIRONMENT"] == environment


def test_what_the_build_leaves_is_what_is_rolled_out(found: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    for file in (EXAMPLE / "deployment.yaml", ROOT / "examples" / "app-cluster" / "deploy.sh"):
        (tmp_path / file.name).write_text(file.read_text())
    script = "\n".join(found["build"]["script"])
    subprocess.run(
        ["sh", "-euc", script],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "CI_COMMIT_SHORT_SHA": "0a1b2c3d"},
        check=True,
    )
    made = yaml.safe_load((tmp_path / "dist" / "deployment.yaml").read_text())
    assert made["spec"]["template"]["metadata"]["labels"]["version"] == "0a1b2c3d"
    assert "kubectl apply --filename dist/deployment.yaml" in found["rollout:dev"]["script"]
    assert f"deployment/{made['metadata']['name']} " in found["rollout:dev"]["script"][-1]


def test_a_rollout_without_a_kubeconfig_says_what_mends_it(found: dict[str, dict[str, Any]]) -> None:
    result = subprocess.run(
        ["sh", "-euc", "\n".join(found["rollout:dev"]["script"])],
        env={"PATH": "/usr/bin:/bin", "KUBECONFIG": "/nowhere", "ENVIRONMENT": "dev"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("error: there is no /nowhere: the environment's stack must mount it, or")
    assert (
        "Fix: pulumi config set --stack dev --path appCluster.clusterId ID, with the ID that deploy:dev tells"
        in result.stderr
    )


def test_the_promotion_gets_what_it_runs_from_a_pinned_tag(found: dict[str, dict[str, Any]]) -> None:
    """`ci` is no package; its two requirements are pinned by the constraints that come with it."""
    for name in ("promote:preprod", "promote:prod"):
        script = " ".join([*found[name]["before_script"], *found[name]["script"]])
        assert '--branch "$OPERATIONS_TAG"' in script
        assert "--constraint operations/constraints.txt python-gitlab requests" in script
        assert "python -m ci.promote" in script
    pinned = (ROOT / "constraints.txt").read_text()
    assert re.search(r"^python-gitlab==", pinned, re.M)
    assert re.search(r"^requests==", pinned, re.M)
