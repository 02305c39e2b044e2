"""A deployment: which plan is kept to, what stops it before anything is changed, and what is told. A script stands in for
the engine (`fake_pulumi`); what it writes is of the real one, or in its form.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ci.deploy import main
from ci.engine import Engine
from ci.plans import enforceable, read_plan
from ci.values import UNKNOWN
from tests.ci.conftest import SAMPLES
from tests.ci.fake_pulumi import NO_PLAN, NOTHING, NOTHING_DONE, UNCHANGED, Deployment, Ran
from tests.ci.plan_samples import PROVIDER, plan_of, planned, text_of_plan, urn
from tests.sandbox.gitlab.conftest import Instance
from tests.sandbox.gitlab.played import Played, variables

PREVIEWED, DEPLOYED, PLAN = ((SAMPLES / name).read_text() for name in ("plan.events", "deployed.events", "plan.json"))
DONE = """\
  created key (gitlab:index:ProjectVariable)
  updated changed (gitlab:index:ProjectVariable)
  created token (gitlab:index:ProjectAccessToken)
  created made (gitlab:index:ProjectVariable)
  deleted gone (gitlab:index:ProjectVariable)
  deleted moved (gitlab:index:ProjectVariable)

Deployment of dev (kapsule-devops): 6 changes
  create 3, update 1, replace 1, delete 1, same 2

"""


def is_held(deployment: Deployment) -> bool:
    called = deployment.pulumi.arguments("up")
    assert called is not None
    return "--plan" in called


# --- which plan -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("schedule", "this pipeline is of a schedule"),
        ("web", "this pipeline is of a web"),
        ("", "this is no pipeline"),
    ],
)
def test_what_no_merge_has_started_has_no_reviewed_plan(deployment: Deployment, source: str, why: str) -> None:
    deployment.pulumi.does("preview", PREVIEWED, plan="no plan")
    deployment.pulumi.does("up", DEPLOYED)
    code, out, err = deployment.run(CI_PIPELINE_SOURCE=source)
    assert (code, err) == (0, "")
    assert out.startswith(f"No reviewed plan: {why}.\n\nPreview of dev (kapsule-devops): 6 changes\n")
    assert not is_held(deployment)


def test_where_the_plan_fits_the_engine_is_held_to_it(deployment: Deployment) -> None:
    deployment.reviewed.write_text(PLAN)
    deployment.pulumi.does("preview", PREVIEWED, plan=PLAN)
    deployment.pulumi.does("up", DEPLOYED)
    code, out, err = deployment.run(f"--plan={deployment.reviewed}")
    assert (code, err) == (0, "")
    assert out.startswith("Preview of dev (kapsule-devops): 6 changes\n")
    before, _, after = out.partition(f"\nThe plan of {deployment.reviewed} fits.\n")
    assert "  updated changed (gitlab:index:ProjectVariable)\n    - value: " in before
    assert sorted(after.split("\n\n")[0].splitlines()) == sorted([*DONE.split("\n\n")[0].splitlines(), MOVED])
    assert after.partition("\n\n")[2] == DONE.partition("\n\n")[2]
    held = enforceable(read_plan(SAMPLES / "plan.json", "dev"))
    assert held is not None
    assert deployment.pulumi.held_to() == json.loads(held.written())


MOVED = "  created moved (gitlab:index:ProjectVariable)"  # a replacement is told by its two parts


def test_the_engine_is_held_to_what_is_left_to_do_of_the_plan(deployment: Deployment) -> None:
    made = urn("made")
    now = text_of_plan(
        a=planned("same"),
        b=planned("update", updates={"x": 1, "y": 2}, propertyDependencies={"y": [made]}),
        made=planned("create"),
    )
    reviewed = text_of_plan(
        a=planned("create-replacement", "replace", "delete-replaced", updates={"x": 1}),
        b=planned("update", updates={"x": 1, "y": 2, "z": 3}),
        made=planned("create"),
        gone=planned("delete"),
    )
    assert deployment.kept_to(reviewed, now) == (
        0,
        f"{NOTHING}The plan of {deployment.reviewed} fits.\n{NOTHING_DONE}",
        "",
    )
    held = deployment.pulumi.held_to()["resourcePlans"]
    assert {each.rpartition("::")[2]: resource["steps"] for each, resource in held.items()} == {
        "a": ["same"],
        "b": ["update"],
        "made": ["create"],
    }
    assert held[urn("b")]["goal"]["inputDiff"] == {"updates": {"x": 1, "y": UNKNOWN}}


def test_with_a_new_provider_the_engine_is_not_held_and_that_is_said(deployment: Deployment) -> None:
    plan = text_of_plan(a=planned("create", provider=f"{PROVIDER}::{UNKNOWN}"))
    code, out, err = deployment.kept_to(plan, plan)
    assert (code, err) == (0, "")
    assert out == (
        f"{NOTHING}The plan of {deployment.reviewed} fits.\n"
        "The engine is not held to it: a provider, such as that of a new cluster, is only known later.\n"
        f"{NOTHING_DONE}"
    )
    assert not is_held(deployment)


def test_where_the_plan_does_not_fit_nothing_is_changed(deployment: Deployment) -> None:
    reviewed = text_of_plan(a=planned("update", updates={"x": "1"}), b=planned("same"), c=planned("same", protect=True))
    now = text_of_plan(a=planned("update", updates={"x": "2"}), b=planned("update"), c=planned("same"))
    code, out, err = deployment.kept_to(reviewed, now)
    assert code == 1
    assert out == (
        f"{NOTHING}  a (kubernetes:core/v1:ConfigMap): reviewed: updated; now: updated\n"
        '    - x: "1"\n'
        '    + x: "2"\n'
        "  b (kubernetes:core/v1:ConfigMap): reviewed: left as it is; now: updated\n"
        "  c (kubernetes:core/v1:ConfigMap): reviewed: left as it is; now: left as it is\n"
        "    - protect: true\n"
        "    + protect: false\n"
        "\n"
    )
    assert err == (
        f"error: the plan of {deployment.reviewed} no longer fits (3 resources; above, - is what was reviewed and + what "
        "there would be now): what nobody has reviewed is not deployed, and nothing was changed. Fix: when it is wanted as "
        "it is now, start a pipeline on this branch (Build > Pipelines > New pipeline); else merge what makes it fit\n"
    )
    assert deployment.pulumi.arguments("up") is None


def test_one_resource_that_does_not_fit_is_one(deployment: Deployment) -> None:
    code, out, err = deployment.kept_to(text_of_plan(), text_of_plan(a=planned("create", adds={"x": 1})))
    assert (code, "no longer fits (1 resource; above" in err) == (1, True)
    assert out == f"{NOTHING}  a (kubernetes:core/v1:ConfigMap): reviewed: not there; now: created\n\n"


def test_a_plan_at_hand_that_is_none(deployment: Deployment) -> None:
    code, out, err = deployment.run("--plan=/nowhere/plan.json")
    assert (code, out) == (1, "")
    assert err.startswith("error: /nowhere/plan.json cannot be read: No such file or directory. Make it with: pulumi")
    assert deployment.pulumi.arguments("preview") is None


# --- of a merge request -----------------------------------------------------------------------------------------------


@pytest.fixture
def pushed(deployment: Deployment, instance: Instance, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """The deployment of a push, whose merge request's job has left this plan."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    played = Played(instance)
    token = instance.project_token(level=30)["token"]

    def run(plan: str, *arguments: str, job: str = "preview:dev", **files: str) -> Ran:
        request = played.change("feature")
        played.start(job, merge_request=request)
        runner = played.runner()
        played.end(played.took(runner), **(files or {"plan_json": plan}))
        played.merge(request)
        played.start("deploy:dev")
        deploy = variables(played.took(runner))
        return deployment.run(*arguments, PRIVATE_TOKEN=token, **{k: v for k, v in deploy.items() if k != "PATH"})

    return run


def test_the_push_of_a_merge_is_deployed_from_what_was_reviewed(
    deployment: Deployment, pushed: Callable[..., Ran], instance: Instance
) -> None:
    deployment.pulumi.does("preview", UNCHANGED, plan=text_of_plan(a=planned("create")))
    deployment.pulumi.does("up", UNCHANGED)
    code, out, err = pushed(plan_of(a=planned("create")).written())
    assert (code, err) == (0, "")
    assert out == (
        f"The plan was reviewed in !1: {instance.listener.url}/acme/app/-/jobs/1\n\n"
        f"{NOTHING}The plan of !1 fits.\n{NOTHING_DONE}"
    )
    assert is_held(deployment)


def test_another_job_and_artifact_may_hold_the_plan(deployment: Deployment, pushed: Callable[..., Ran]) -> None:
    deployment.pulumi.does("preview", UNCHANGED, plan=text_of_plan())
    arguments = ("--job=plan", "--artifact=out.json")
    code, out, _ = pushed("", *arguments, job="plan", out_json=text_of_plan())
    assert (code, "The plan of !1 fits.\n" in out) == (0, True)


def test_without_a_reviewed_plan_a_push_is_not_even_previewed(
    deployment: Deployment, pushed: Callable[..., Ran]
) -> None:
    code, out, err = pushed("", job="other")
    assert (code, out) == (1, "")
    assert err.startswith("error: the pipeline of !1 has no job preview:dev: it must have made the plan")
    assert deployment.pulumi.arguments("preview") is None
    assert deployment.run(CI_PIPELINE_SOURCE="push")[2] == (
        "error: CI_PROJECT_ID and CI_COMMIT_SHA and CI_COMMIT_BRANCH are not set: they must say which commit is deployed, "
        "or its reviewed plan cannot be found. Fix: by hand, --plan FILE\n"
    )


# --- what stops it before ---------------------------------------------------------------------------------------------


def test_a_preview_that_fails_ends_it_with_its_code(deployment: Deployment) -> None:
    deployment.pulumi.does("preview", (SAMPLES / "policy.events").read_text(), code=255)
    code, out, err = deployment.run()
    assert (code, err) == (255, "")
    assert out.startswith(f"{NO_PLAN}Preview of dev (kapsule-devops): failed, ")
    assert out.endswith("\nNothing was deployed.\n")
    assert deployment.pulumi.arguments("up") is None


def test_a_preview_that_ends_before_the_program_begins_says_why(deployment: Deployment) -> None:
    deployment.pulumi.does("preview", err="error: no stack named 'dev' found\n", code=3)
    assert deployment.run() == (3, f"{NO_PLAN}error: no stack named 'dev' found\n", "")
    assert deployment.pulumi.arguments("up") is None


def test_a_preview_that_was_killed_ends_it_with_its_code(deployment: Deployment) -> None:
    deployment.pulumi.does("preview", PREVIEWED[: len(PREVIEWED) // 2], code=137)
    assert deployment.run() == (
        137,
        f"{NO_PLAN}What pulumi wrote ends too early. Nothing was deployed.\n",
        "",
    )
    assert deployment.pulumi.arguments("up") is None


def test_a_preview_that_cannot_be_read_is_no_reason_to_deploy(deployment: Deployment) -> None:
    deployment.pulumi.does("preview", PREVIEWED[: len(PREVIEWED) // 2])
    code, _, err = deployment.run()
    assert (code, "/events.jsonl is cut off or is not JSON in line " in err) == (1, True)
    assert deployment.pulumi.arguments("up") is None


def test_an_interrupt_is_no_traceback(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Engine, "preview", interrupted)
    assert deployment.run() == (130, NO_PLAN, "")


def test_no_engine_and_no_policies(deployment: Deployment) -> None:
    code, out, err = deployment.run("--policy-pack=/nowhere")
    assert (code, out) == (1, "")
    assert err.startswith("error: there is no policy pack /nowhere: it must be a folder")
    code, out, err = deployment.run(PATH="/nowhere")
    assert (code, out) == (1, "")
    assert err.startswith("error: there is no pulumi on the PATH: it must be installed")


def test_policies_are_checked_by_the_preview_and_by_the_update(deployment: Deployment, tmp_path: Path) -> None:
    deployment.pulumi.does("preview", UNCHANGED)
    assert deployment.run(f"--policy-pack={tmp_path}", "--policy-pack=/")[0] == 0
    for command in ("preview", "up"):
        assert (deployment.pulumi.arguments(command) or [])[-4:] == [
            "--policy-pack",
            str(tmp_path),
            "--policy-pack",
            "/",
        ]


@pytest.mark.parametrize(("arguments", "said"), [([], "required: --stack"), (["--stack=a", "--pla=b"], "unrecognized")])
def test_wrong_usage(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments, {})
    assert (caught.value.code, said in capsys.readouterr().err) == (2, True)
