"""The whole way of a change, by the pipeline's own jobs: a merge request, its preview, the merge, the deployment from the
plan that was reviewed, the promotion; drift; a rotation.

The tests follow each other on one environment, dev.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.engine.estate import ROOT
from tests.pipelines.events import Ask
from tests.pipelines.gitlab_runner import Expanded, Ran, succeeded
from tests.pipelines.place import APP, PLATFORM, Place

# A job of the application's repository that says which key it has, and what Scaleway says of it.
WHO_AM_I = """
.venv/bin/python - <<'PROGRAM'
import json, os, urllib.error, urllib.request, yaml
key = yaml.safe_load(open(os.environ["SCW_CONFIG_PATH"]))
clusters = "/k8s/v1/regions/fr-par/clusters?project_id=" + key["default_project_id"]
asked = urllib.request.Request(os.environ["SCW_API_URL"] + clusters, headers={"X-Auth-Token": key["secret_key"]})
try:
    status = urllib.request.urlopen(asked).status
except urllib.error.HTTPError as error:
    status = error.code
print(json.dumps({"key": key["access_key"], "status": status}))
PROGRAM
"""


Play = Callable[..., dict[str, Ran]]


@pytest.fixture
def play(place: Place, ask: Ask, expanded: Expanded) -> Play:
    """A pipeline of the operations project, played to its end: what ran, by name."""

    def played(**event: Any) -> dict[str, Ran]:
        ran = place.gitlab.pipeline_of(ROOT / ".gitlab-ci.yml", ask, expanded, PLATFORM, **event)
        return {each.name: each for each in ran}

    return played


# --- review, merge, deployment, promotion -----------------------------------------------------------------------------


def test_a_change_is_previewed_reviewed_merged_deployed_and_promoted(place: Place, play: Play) -> None:
    request = place.change("more jobs", "runners[0].concurrent", "4")
    first = play(merge_request=request)
    assert list(first) == ["preview:dev"]
    assert first["preview:dev"].runner == "review"
    succeeded(first["preview:dev"])
    (note,) = place.notes(request)
    assert '+ spec.hard.pods: "8"' in note

    place.push("feature/more-jobs", "even more")
    place.estate.set("dev", "runners[0].concurrent", "5")
    succeeded(play(merge_request=request)["preview:dev"])
    (note,) = place.notes(request)
    assert '+ spec.hard.pods: "10"' in note

    place.api("PUT", f"merge_requests/{request}/merge")
    ran = play(branch="main")
    assert {name: each.runner for name, each in ran.items()} == {"deploy:dev": "operate", "promote:preprod": "operate"}
    said = succeeded(ran["deploy:dev"])
    assert f"The plan was reviewed in !{request}: " in said
    assert f"The plan of !{request} fits.\n" in said
    assert "updated runner-deploy-isolation-quota" in said
    assert "concurrent = 5" in place.config_toml()

    assert "main → preprod" in succeeded(ran["promote:preprod"])
    promotions = place.api("GET", "merge_requests?state=opened&target_branch=preprod")
    assert [(p["source_branch"], p["assignee"]["id"]) for p in promotions] == [("main", 2)]


def test_a_second_merge_adds_to_the_promotion_and_opens_no_other(place: Place, play: Play) -> None:
    request = place.change("longer jobs", "runners[0].jobTimeoutSeconds", "4000")
    succeeded(play(merge_request=request)["preview:dev"])
    place.api("PUT", f"merge_requests/{request}/merge")
    for ran in play(branch="main").values():
        succeeded(ran)
    (promotion,) = place.api("GET", "merge_requests?state=opened&target_branch=preprod")
    assert "more jobs" in promotion["description"]
    assert "longer jobs" in promotion["description"]


def test_what_no_longer_fits_the_reviewed_plan_is_not_deployed(place: Place, play: Play) -> None:
    request = place.change("fewer jobs", "runners[0].concurrent", "3")
    succeeded(play(merge_request=request)["preview:dev"])
    place.estate.set("dev", "runners[0].concurrent", "7")  # what another merge has brought meanwhile
    place.estate.set("dev", "runnerPool.size", "3")
    place.api("PUT", f"merge_requests/{request}/merge")
    ran = play(branch="main")
    assert list(ran) == ["deploy:dev"], "what was not deployed is not promoted"
    said = ran["deploy:dev"].log
    assert ran["deploy:dev"].code == 1
    assert "runner-pool-pool (scaleway:kubernetes:Pool): reviewed: left as it is; now:" in " ".join(said.split())
    assert '- spec.hard.pods: "6"\n    + spec.hard.pods: "14"' in said
    assert f"error: the plan of !{request} no longer fits (" in said
    assert "concurrent = 5" in place.config_toml()

    by_hand = play(branch="main", source="web")["deploy:dev"]
    assert "No reviewed plan: this pipeline is of a web." in succeeded(by_hand)
    assert "concurrent = 7" in place.config_toml()


def test_what_nobody_reviewed_is_not_deployed(place: Place, play: Play) -> None:
    place.push("main", "straight to main")
    ran = play(branch="main")
    assert ran["deploy:dev"].code == 1
    assert re.search(
        r"error: no merge request has brought \w{8} to main \(.*\): nobody has seen", ran["deploy:dev"].log
    )


def test_a_new_runner_and_new_keys_keep_to_their_plan(place: Place, play: Play) -> None:
    """What is made depends on what is made before it, and is only known then."""
    before = place.settings()
    request = place.change("a runner", "runners[4].name", "build")
    place.estate.set("dev", "rotation.serial", "1")
    succeeded(play(merge_request=request)["preview:dev"])
    place.api("PUT", f"merge_requests/{request}/merge")
    said = succeeded(play(branch="main")["deploy:dev"])
    assert "created runner-build-gitlab-release" in said
    assert "build" in [runner["name"] for runner in place.estate.outputs("dev")["runners"]]

    (place.estate.checkout / "Pulumi.dev.yaml").write_text(before)
    place.estate.set("dev", "rotation.serial", "1")
    succeeded(play(branch="main", source="web")["deploy:dev"])


def test_a_breach_of_a_policy_fails_the_preview_and_leaves_no_plan(place: Place, play: Play) -> None:
    request = place.change("a leak", "runners[0].concurrent", "8")
    main = place.estate.checkout / "__main__.py"
    before = main.read_text()
    main.write_text(
        before + "\nimport pulumi_gitlab\n"
        'pulumi_gitlab.ProjectVariable("leak", project="acme/app", key="SCW_SECRET_KEY", value="x")\n'
    )
    try:
        ran = play(merge_request=request)["preview:dev"]
        assert ran.code != 0
        (note,) = place.notes(request)
        assert "ci-variables-hold-no-credential" in note
        place.api("PUT", f"merge_requests/{request}/merge")
        deployed = play(branch="main")["deploy:dev"]
    finally:
        main.write_text(before)
        place.estate.set("dev", "runners[0].concurrent", "7")
    assert deployed.code == 1
    assert f"error: preview:dev of !{request} did not succeed (failed): only what a preview has shown" in deployed.log


def test_the_artifacts_hold_no_secret(place: Place) -> None:
    jobs = [job for job in place.estate.records("gitlab.jobs") if job["archive"]]
    assert {job["name"] for job in jobs} >= {"preview:dev"}
    request = place.api("GET", "merge_requests?state=merged&order_by=created_at&sort=asc")[0]["iid"]
    pipelines = place.api("GET", f"merge_requests/{request}/pipelines")
    (job,) = place.api("GET", f"pipelines/{pipelines[0]['id']}/jobs")
    plan = place.api("GET", f"jobs/{job['id']}/artifacts/plan.json")
    assert len(plan["resourcePlans"]) > 100
    text = json.dumps(plan)
    assert "ciphertext" not in text
    assert "state" not in {key for each in plan["resourcePlans"].values() for key in each}


# --- schedules --------------------------------------------------------------------------------------------------------


def schedule_for(place: Place, task: str) -> int:
    for each in place.api("GET", "pipeline_schedules"):
        found = place.api("GET", f"pipeline_schedules/{each['id']}")
        if [v["value"] for v in found["variables"]] == [task]:
            return int(found["id"])
    raise AssertionError(task)


def test_drift_ends_its_job_with_a_code_of_its_own_and_is_reported(place: Place, play: Play) -> None:
    drift = schedule_for(place, "drift")
    clean = play(schedule=drift)
    assert list(clean) == ["drift:dev"]
    succeeded(clean["drift:dev"])
    pool = place.estate.outputs("dev")["runnerPoolId"].rpartition("/")[2]
    place.estate.cloud("PATCH", f"/k8s/v1/regions/fr-par/pools/{pool}", size=1)
    ran = play(schedule=drift)["drift:dev"]
    assert ran.code == 7
    assert "Preview of dev (kapsule-devops): 1 resource changed outside the program" in ran.log
    assert "- size: 3\n    + size: 1\n" in ran.log


def test_a_drift_job_that_cannot_find_out_fails_otherwise(place: Place, play: Play) -> None:
    broken = play(schedule=schedule_for(place, "drift"), extra={"SCW_CONFIG_PATH": "/nowhere/config.yaml"})["drift:dev"]
    assert broken.code not in (0, 7)
    assert "changed outside the program" not in broken.log


def test_a_rotation_changes_the_key_and_the_next_job_uses_it(place: Place, play: Play) -> None:
    before = who_am_i(place)
    assert before["status"] == 200
    later = datetime.now(UTC) + timedelta(days=30)  # the period is 30 days: the next one
    ran = play(schedule=schedule_for(place, "rotation"), extra={"KAPSULE_DEVOPS_NOW": later.isoformat()})
    assert list(ran) == ["deploy:dev"]
    said = succeeded(ran["deploy:dev"])
    assert "No reviewed plan: this pipeline is of a schedule." in said
    assert re.search(r"created runner-deploy-credentials-key-\w+", said)
    after = who_am_i(place)
    assert after["status"] == 200
    assert after["key"] != before["key"]


def who_am_i(place: Place) -> dict[str, Any]:
    job = {"stage": "dev", "tags": ["k8s-dev-runner"], "environment": {"name": "dev"}, "script": [WHO_AM_I]}
    (ran,) = place.gitlab.run(APP, {"whoami": job}, ["dev"], {"branch": "main"}, {})
    assert ran.runner == "deploy"
    found: dict[str, Any] = json.loads(succeeded(ran))
    return found


# --- what a job may know ----------------------------------------------------------------------------------------------


def test_an_unprotected_branch_gets_neither_the_protected_runner_nor_the_token(place: Place) -> None:
    place.api("POST", "repository/branches", APP, branch="feature/x", ref="main")
    tell = ['test -z "${PRIVATE_TOKEN:-}" && echo "no token in $CI_COMMIT_BRANCH"']
    environment = {"name": "dev", "action": "access"}
    jobs = {
        "protected": {"stage": "dev", "tags": ["k8s-dev-runner"], "environment": environment, "script": tell},
        "open": {"stage": "dev", "tags": ["k8s-dev-preview-runner"], "environment": environment, "script": tell},
    }
    (ran,) = place.gitlab.run(APP, jobs, ["dev"], {"branch": "feature/x"}, {})
    assert (ran.name, ran.runner) == ("open", "preview")
    assert "no token in feature/x" in succeeded(ran)


def test_the_token_is_for_its_environment_on_a_protected_branch(place: Place) -> None:
    tell = ['if test -n "${PRIVATE_TOKEN:-}"; then echo token; else echo none; fi']
    jobs = {
        name: {"stage": "dev", "tags": ["k8s-dev-runner"], "environment": environment, "script": tell}
        for name, environment in (("dev", {"name": "dev"}), ("prod", {"name": "prod"}), ("nowhere", None))
    }
    ran = place.gitlab.run(APP, jobs, ["dev"], {"branch": "main"}, {})
    assert {each.name: succeeded(each).strip() for each in ran} == {"dev": "token", "prod": "none", "nowhere": "none"}
