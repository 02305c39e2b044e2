"""`__main__.py` with each of the three real stack files: exactly these resources, inputs, dependencies and outputs.

`expected/<stack>.yaml` is what each declares, for a reader of a merge request; after a wanted change it is written anew by
`UPDATE_EXPECTED=1 .venv/bin/python -m pytest tests/program`, and its diff is reviewed.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies.rules.runners import GIVEN_KEY_READS
from tests.quick_yaml import quick_yaml

Program = Any  # conftest's, which is no module to import from
RunProgram = Callable[..., Program]

STACKS = ("dev", "preprod", "prod")


class _Readable(yaml.SafeDumper):
    """Text of several lines as such, so that config.toml can be read in a diff."""


_Readable.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


@pytest.fixture(scope="session", params=STACKS)
def stack(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def program(stack: str, run_program: RunProgram) -> Program:
    return run_program(stack)


def test_declares_exactly_what_is_expected(stack: str, program: Program) -> None:
    declared = {
        "resources": {
            name: {k: v for k, v in r.items() if k != "name" and v not in ("", [], {}, False)}
            for name, r in sorted(program.resources.items())
        },
        "outputs": program.outputs,
    }
    file = Path(__file__).parent / "expected" / f"{stack}.yaml"
    if os.environ.get("UPDATE_EXPECTED"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(yaml.dump(declared, Dumper=_Readable, width=120, allow_unicode=True))
    assert declared == quick_yaml(file.read_text())


def test_a_name_begins_with_that_of_the_component_around_it(program: Program) -> None:
    """So that an alias of a renamed component is one of everything inside it."""
    inside = {name: r["parent"] for name, r in program.resources.items() if r["parent"] in program.resources}
    assert len(inside) > 50
    assert [name for name, parent in inside.items() if not name.startswith(f"{parent}-")] == []


def test_what_is_protected_is_what_cannot_be_made_again(stack: str, program: Program) -> None:
    protected = {name for name, r in program.resources.items() if r["protect"]}
    guard = {"cluster-guard-owner"} & protected  # the first to be destroyed, so that a destroy fails before it begins
    assert bool(guard) == (stack == "prod")
    protected -= guard
    assert protected == {name for name, r in program.resources.items() if r["retain_on_delete"]}
    kept = ("scaleway:account/project:Project", "scaleway:kubernetes/cluster:Cluster", "scaleway:secrets/secret:Secret")
    keeps_data = {name for name, r in program.resources.items() if r["type"] in kept}
    assert len(keeps_data) == 6
    assert protected == (keeps_data if stack == "prod" else set())


def test_nothing_is_declared_with_another_accounts_credentials(refused_program: RunProgram) -> None:
    other = "11111111-2222-3333-4444-555555555555"
    program = refused_program("prod", {"account": {"organizationId": other}})
    assert program.resources == {}
    assert program.error.startswith(
        "1 setting is not met by the credentials in use; nothing was created or changed.\n\n"
        f"  account.organizationId = '{other}' (Pulumi.prod.yaml): must be the organization of the credentials"
    )


def test_runner_pool_is_tainted_and_the_system_pool_is_not(stack: str, program: Program) -> None:
    runner, system = program.resources["runner-pool-pool"]["inputs"], program.resources["cluster-system-pool"]["inputs"]
    taint = {"key": f"gitlab-runner-jobs-{stack}-reserved", "value": "true", "effect": "NoSchedule"}
    assert runner["taints"] == [taint]
    assert "taints" not in system
    assert runner["name"] == stack
    assert (runner["nodeType"], runner["size"], runner["autohealing"]) == ("GP1-XS", 2, True)


def test_only_what_needs_the_cluster_waits_for_it(program: Program) -> None:
    free = [
        name
        for name, r in program.resources.items()
        if r["type"].startswith(("scaleway:iam", "scaleway:secrets", "scaleway:network", "gitlab:"))
    ]
    assert len(free) >= 13
    for name in free:
        assert not {n for n in program.depends_on(name) if n.startswith(("cluster", "runner-pool"))}, name


def test_kubernetes_waits_for_the_system_pool_and_not_for_the_runner_pool(program: Program) -> None:
    inside = [n for n, r in program.resources.items() if r["type"].startswith("kubernetes:")]
    assert {"runner-deploy-jobs-namespace", "runner-deploy-gitlab-release", "runner-deploy-secrets-api-key"} <= set(
        inside
    )
    assert "cluster-system-pool" in program.resources["cluster-provider"]["depends_on"]
    for name in inside:
        # The guard waits for all that it guards, so that it is the first to go.
        assert ("runner-pool-pool" in program.depends_on(name)) == (name == "cluster-guard-owner")
        if program.resources[name]["type"].startswith("kubernetes:"):
            assert program.resources[name]["provider"] == "cluster-provider"


def test_keys_and_tokens_are_secret_wherever_they_go(program: Program) -> None:
    resources = program.resources
    assert resources["runner-deploy-secrets-api-key"]["inputs"]["data"] == "[secret]"
    assert resources["runner-deploy-gitlab-tokens"]["inputs"]["data"] == "[secret]"
    assert [v["inputs"]["data"] for v in program.of_type("secrets/version:Version")] == ["[secret]"] * 2
    assert resources["cluster-provider"]["inputs"]["kubeconfig"] == "[secret]"
    assert resources["gitlab-private-token"]["inputs"]["value"] == "[secret]"
    assert [k["secret_outputs"] for k in program.of_type("iam/apiKey:ApiKey")] == [["secretKey"]] * 2
    assert "kubeconfigs" in resources["cluster-kapsule"]["secret_outputs"]


def test_no_variable_can_hold_a_cloud_key(program: Program) -> None:
    names = {r["inputs"]["key"] for r in program.of_type("ProjectVariable")}
    assert names == {
        "GITLAB_USER_MAILINGLIST_ID",
        "KUBE_NAMESPACE",
        "PRIVATE_TOKEN",
        "PULUMI_STACK",
        "SCW_DEFAULT_REGION",
        "SCW_DEFAULT_ZONE",
    }
    secret = program.resources["gitlab-private-token"]["inputs"]
    assert secret["masked"] is secret["hidden"] is secret["protected"] is True


def test_variables_are_scoped_to_the_environment(stack: str, program: Program) -> None:
    assert {r["inputs"]["environmentScope"] for r in program.of_type("ProjectVariable")} == {stack}


def test_runner_is_locked_protected_and_takes_no_untagged_job(stack: str, program: Program) -> None:
    inputs = program.resources["runner-deploy-gitlab-registration"]["inputs"]
    assert inputs["locked"] is True
    assert inputs["untagged"] is False
    assert inputs["accessLevel"] == "ref_protected"
    assert inputs["tagLists"] == [f"k8s-{stack}-runner"]
    assert inputs["runnerType"] == "project_type"


def test_each_runner_has_an_identity_of_its_own(stack: str, program: Program) -> None:
    policies = {p["inputs"]["name"]: p["inputs"]["rules"] for p in program.of_type("iam/policy:Policy")}
    writes = ["ContainerRegistryFullAccess", "KubernetesFullAccess", "PrivateNetworksFullAccess", "VPCFullAccess"]
    reads = [name.replace("FullAccess", "ReadOnly") for name in writes]
    target = ["projects-target-id"]
    assert policies == {
        f"gitlab-runner-{stack}": [{"projectIds": target, "permissionSetNames": writes}],
        f"gitlab-runner-{stack}-preview": [{"projectIds": target, "permissionSetNames": reads}],
    }
    preview = program.resources["runner-preview-gitlab-registration"]["inputs"]
    assert (preview["accessLevel"], preview["tagLists"]) == ("not_protected", [f"k8s-{stack}-preview-runner"])
    namespaces = {n["inputs"]["metadata"]["name"] for n in program.of_type("core/v1:Namespace")}
    assert namespaces == {stack, f"{stack}-preview", f"{stack}-runners"}


def test_keys_expire_and_rotate(run_program: RunProgram) -> None:
    rotation = {"days": 30, "overlapDays": 2, "serial": 1}
    keys = run_program("dev", {"rotation": rotation}).of_type("iam/apiKey:ApiKey")
    assert {k["name"]: k["inputs"]["expiresAt"] for k in keys} == {
        "runner-deploy-credentials-key-b1": "2027-01-17T00:00:00Z",
        "runner-preview-credentials-key-b1": "2027-01-17T00:00:00Z",
    }


def test_a_state_backend_comes_with_the_mounted_key(run_program: RunProgram) -> None:
    backend = {"bucket": "state", "projectId": "11111111-2222-3333-4444-555555555555"}
    program = run_program("dev", {"stateBackend": backend})
    variables = {v["inputs"]["key"]: v["inputs"]["value"] for v in program.of_type("ProjectVariable")}
    assert variables["PULUMI_BACKEND_URL"] == "s3://state?endpoint=s3.fr-par.scw.cloud&region=fr-par"
    assert variables["AWS_SHARED_CREDENTIALS_FILE"] == "/root/.config/scw/credentials"
    rules = {p["name"]: p["inputs"]["rules"][1] for p in program.of_type("iam/policy:Policy")}
    assert rules["runner-deploy-credentials-policy"]["projectIds"] == [backend["projectId"]]
    assert "ObjectStorageObjectsWrite" in rules["runner-deploy-credentials-policy"]["permissionSetNames"]
    assert "ObjectStorageObjectsWrite" not in rules["runner-preview-credentials-policy"]["permissionSetNames"]
    config = program.resources["runner-deploy-gitlab-release"]["inputs"]["values"]["runners"]["config"]
    assert 'credentials = "credentials"' in config


def test_no_promotion_token_is_made_where_settings_say_so(run_program: RunProgram) -> None:
    gitlab = {"project": "acme/app", "mailingListUserId": 2, "branch": {"name": "main"}}
    shipped = run_program("dev", {"gitlab": gitlab})
    without = run_program("dev", {"gitlab": gitlab | {"promotionToken": {"enabled": False}}})
    assert set(shipped.resources) - set(without.resources) == {"gitlab-promotion-token", "gitlab-private-token"}
    assert set(without.resources) <= set(shipped.resources)


@pytest.mark.parametrize(
    ("enterprise", "present", "absent"),
    [
        (True, {"allowedToPushes", "allowedToMerges"}, {"pushAccessLevel", "mergeAccessLevel"}),
        (False, {"pushAccessLevel", "mergeAccessLevel"}, {"allowedToPushes", "allowedToMerges"}),
    ],
)
def test_branch_protection_speaks_both_kinds_of_gitlab(
    run_program: RunProgram, enterprise: bool, present: set[str], absent: set[str]
) -> None:
    gitlab = {
        "project": "acme/app",
        "mailingListUserId": 2,
        "enterprise": enterprise,
        "branch": {"name": "main", "mergeAccessLevel": "developer"},
    }
    inputs = run_program("dev", {"gitlab": gitlab}).resources["gitlab-branch"]["inputs"]
    assert present <= set(inputs)
    assert not absent & set(inputs)
    assert inputs["allowForcePush"] is False


GITLAB = {"project": "acme/app", "mailingListUserId": 2, "branch": {"name": "main", "mergeAccessLevel": "developer"}}


def test_a_further_project_has_what_the_main_one_has(stack: str, program: Program) -> None:
    def inputs(prefix: str) -> dict[str, Any]:
        found = {n.removeprefix(prefix): r for n, r in program.resources.items() if n.startswith(f"{prefix}-")}
        return {n: {**r["inputs"], "project": ""} for n, r in found.items()}

    assert inputs("gitlab") == inputs("gitlab@acme-platform")
    assert len(inputs("gitlab")) >= 9
    for purpose in ("deploy", "preview"):
        main = program.resources[f"runner-{purpose}-gitlab-registration"]["inputs"]
        further = program.resources[f"runner-{purpose}-gitlab@acme-platform-registration"]["inputs"]
        assert {k for k in main if main[k] != further[k]} == {"description"}  # a mock gives every project one id


def test_what_a_runner_has_once_is_not_there_for_each_project(program: Program) -> None:
    for kind in ("iam/application:Application", "core/v1:Namespace", "core/v1:ResourceQuota", "iam/apiKey:ApiKey"):
        assert [r["name"] for r in program.of_type(kind) if "@" in r["name"]] == []
    assert len(program.of_type("helm.sh/v3:Release")) == len(program.of_type("UserRunner")) == 4


def test_each_manager_has_a_token_of_its_own(program: Program) -> None:
    for name in ("deploy-gitlab", "preview-gitlab", "deploy-gitlab@acme-platform", "preview-gitlab@acme-platform"):
        release = program.resources[f"runner-{name}-release"]
        others = {n for n in release["depends_on"] if n.endswith(("-tokens", "-registration"))}
        assert others == {f"runner-{name}-tokens", f"runner-{name}-registration"}
        secret = program.resources[f"runner-{name}-tokens"]["inputs"]["metadata"]["name"]
        assert release["inputs"]["values"]["runners"]["secret"] == secret


def test_an_environment_with_one_project_has_nothing_of_another(run_program: RunProgram) -> None:
    program = run_program("dev", {"gitlab": GITLAB})
    assert [n for n in program.resources if "@" in n or n.startswith("schedules")] == []
    assert program.resources["runner-deploy-isolation-quota"]["inputs"]["spec"]["hard"]["pods"] == "20"
    assert [len(runner["projects"]) for runner in program.outputs["runners"]] == [1, 1]


def test_names_of_projects_and_runners_that_look_alike_do_not_meet(run_program: RunProgram) -> None:
    """Two resources with one logical name would be one for the recorder, and an error for the engine."""
    projects = ["acme/runner", "acme/platform-x"]
    variables = {"ACME_PLATFORM_X_FOO": "a", "FOO": "b"}
    runners = [{"name": "deploy"}, {"name": "deploy-acme-runner"}, {"name": "runner-acme"}]
    gitlab = GITLAB | {"furtherProjects": projects, "variables": variables}
    program = run_program("dev", {"gitlab": gitlab, "runners": runners})
    releases = [r["inputs"]["name"] for r in program.of_type("helm.sh/v3:Release")]
    assert len(releases) == len(set(releases)) == 9
    assert len(program.of_type("UserRunner")) == 9
    assert len(program.of_type("ProjectVariable")) == 3 * 8


def test_schedules_tell_the_pipeline_what_for(stack: str, program: Program) -> None:
    branch = {"dev": "main"}.get(stack, stack)
    schedules = {s["name"]: s["inputs"] for s in program.of_type("PipelineSchedule")}
    assert schedules == {
        f"schedules-{task}": {
            "project": "acme/platform",
            "description": f"{task} of {stack}",
            "ref": f"refs/heads/{branch}",
            "cron": cron,
            "cronTimezone": "UTC",
            "takeOwnership": True,
        }
        for task, cron in (("rotation", "23 2 * * *"), ("drift", "23 4 * * *"))
    }
    told = {(v["inputs"]["key"], v["inputs"]["value"]) for v in program.of_type("PipelineScheduleVariable")}
    assert told == {("KAPSULE_DEVOPS_TASK", "rotation"), ("KAPSULE_DEVOPS_TASK", "drift")}


def test_a_schedule_that_is_switched_off_is_not_made(run_program: RunProgram) -> None:
    off = {"operationsProject": "acme/app", "schedules": {"rotation": {"enabled": False}}}
    program = run_program("dev", {"gitlab": GITLAB | off})
    assert {n for n in program.resources if n.startswith("schedules-")} == {"schedules-drift", "schedules-drift-task"}


def test_projects_given_by_id_are_taken_and_not_created(run_program: RunProgram) -> None:
    ids = {n: f"{i}1111111-2222-3333-4444-555555555555" for i, n in enumerate(("devops", "target", "credentials"))}
    program = run_program("dev", {"projects": {name: {"id": value} for name, value in ids.items()}})
    assert program.of_type("account/project:Project") == []
    assert program.resources["cluster-kapsule"]["inputs"]["projectId"] == ids["devops"]
    assert program.resources["runner-deploy-credentials-policy"]["inputs"]["rules"][0]["projectIds"] == [ids["target"]]
    assert program.resources["runner-deploy-credentials-copy"]["inputs"]["projectId"] == ids["credentials"]


def test_the_autoscaler_owns_the_size_of_its_pool(run_program: RunProgram) -> None:
    assert run_program("prod").resources["runner-pool-pool"]["ignore_changes"] == ["size"]
    assert run_program("dev").resources["runner-pool-pool"]["ignore_changes"] == []


def test_wrong_settings_declare_nothing_and_leave_no_traceback(run_program: RunProgram) -> None:
    with pytest.raises(AssertionError, match=r"runnerPool\.size = -1 \(Pulumi\.dev\.yaml\): must be at least 0"):
        run_program("dev", {"runnerPool": {"name": "dev", "size": -1}})


def test_a_shared_cluster_is_read_and_not_made(run_program: RunProgram) -> None:
    projects = {"target": {"name": "app-preprod"}, "credentials": {"name": "credentials-preprod"}}
    shared = {"cluster": {"mode": "shared", "ownerStack": "dev"}, "projects": projects}
    program = run_program("preprod", shared)
    assert not {"network", "cluster-system-pool", "cluster-guard", "projects-devops"} & set(program.resources)
    (cluster,) = program.of_type("kubernetes/cluster:Cluster")
    assert cluster["read"] == "fr-par/dev", "it is read by the id that the owner tells"
    assert program.resources["runner-pool-pool"]["inputs"]["clusterId"] == "fr-par/dev"
    assert program.resources["cluster-provider"]["inputs"]["kubeconfig"] == "[secret]"
    assert program.resources["cluster-provider"]["before_delete"] == [], "whoever leaves need not ask"
    told = {name: program.outputs[name] for name in ("clusterMode", "clusterId", "clusterName", "devopsProjectId")}
    assert told == {
        "clusterMode": "shared",
        "clusterId": "fr-par/dev",
        "clusterName": "kapsule-owner",
        "devopsProjectId": "owner-devops",
    }


def test_the_kubeconfig_for_the_application_is_an_accounts_and_secret(run_program: RunProgram) -> None:
    write = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create", "patch"]}
    runners = [{"name": "deploy", "appClusterRules": [write]}, {"name": "build"}]
    program = run_program("dev", {"appCluster": {"stack": "acme/app/dev"}, "runners": runners})
    inside = [r for r in program.resources.values() if r["provider"] == "app-cluster-provider"]
    assert {r["name"].removeprefix("app-cluster-") for r in inside} == {
        "namespace",
        "accounts",
        "deploy-account",
        "deploy-role",
        "deploy-role-binding",
        "deploy-token-b",
    }
    (binding,) = (r["inputs"] for r in inside if r["type"].endswith(":RoleBinding"))
    assert binding["metadata"]["namespace"] == "apps"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "gitlab-runner-dev", "namespace": "dev-runners"}]
    (role,) = (r["inputs"] for r in inside if r["type"].endswith(":Role"))
    assert role["rules"] == [write]
    mounted = program.resources["runner-deploy-secrets-app-kubeconfig"]["inputs"]
    assert mounted["metadata"] == {"name": "dev-kapsule-config", "namespace": "dev"}
    assert mounted["data"] == "[secret]"
    assert "runner-build-secrets-app-kubeconfig" not in program.resources
    assert "data" in program.resources["app-cluster-deploy-token-b"]["secret_outputs"]


def test_a_given_key_is_mounted_and_not_made(run_program: RunProgram) -> None:
    operate = {"name": "operate", "givenKey": True, "projects": ["acme/platform"], "tag": "k8s-dev-runner"}
    program = run_program("dev", {"runners": [{"name": "deploy", "projects": ["acme/app"]}, operate]})
    own = {n: r for n, r in program.resources.items() if n.startswith("runner-operate")}
    assert not [r["type"] for r in own.values() if r["type"].startswith("scaleway:")], "no application, no key, no copy"
    assert "runner-operate-secrets-api-key" not in own
    (registration,) = (r["inputs"] for r in own.values() if r["type"].endswith(":UserRunner"))
    assert (registration["tagLists"], registration["locked"]) == (["k8s-dev-runner"], True)
    (release,) = (r["inputs"] for r in own.values() if r["type"].endswith(":Release"))
    config = release["values"]["runners"]["config"]
    assert 'name = "dev-operate-api-key"\nmount_path = "/root/.config/scw"\nread_only = true\n' in config
    assert "items" not in config, "all files of the secret: who made it knows what the jobs need"
    (deploy, told) = program.outputs["runners"]
    assert [p["project"] for p in deploy["projects"]] == ["acme/app"]
    assert (told["applicationId"], told["apiKeySecret"]) == (None, "dev-operate-api-key")


def test_a_runner_of_any_branch_says_that_its_given_key_only_reads(run_program: RunProgram) -> None:
    """In GitLab, to whoever looks; and to the policies, which see no permissions of such a key."""
    review = {"name": "review", "givenKey": True, "protected": False, "projects": ["acme/platform"]}
    program = run_program("dev", {"runners": [{"name": "deploy", "projects": ["acme/app"]}, review]})
    runners = {r["name"]: r["inputs"] for r in program.of_type("gitlab:index/userRunner:UserRunner")}
    notes = {name.split("-")[1]: runner.get("maintenanceNote") for name, runner in runners.items()}
    assert notes == {"deploy": None, "review": GIVEN_KEY_READS}


def test_the_application_cluster_may_be_given_by_its_id(run_program: RunProgram) -> None:
    cluster_id = "fr-par/11111111-2222-3333-4444-555555555555"
    runners = [{"name": "deploy", "appClusterRules": [{"resources": ["pods"], "verbs": ["get"]}]}]
    program = run_program("dev", {"appCluster": {"clusterId": cluster_id}, "runners": runners})
    assert program.resources["app-cluster-kapsule"]["read"] == cluster_id
    assert "app-cluster-owner" not in program.resources
