"""The three real stack files, and the defaults of all that they leave out."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pulumi
import pytest
import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

import settings
from sections.base import Section

ROOT = Path(__file__).parents[2]
ACCOUNT = "00000000-0000-4000-8000-000000000001"  # the sandbox's
DEFAULTS = {
    "account": {"organizationId": ACCOUNT, "projectId": ACCOUNT},
    "protection": False,
    "scaleway": {"region": "fr-par", "zone": "fr-par-1"},
    "network": {"ipv4Subnet": "172.16.0.0/22"},
    "cluster": {
        "mode": "dedicated",
        "ownerStack": None,
        "name": "kapsule-devops",
        "version": "1.35",
        "type": "kapsule",
        "cni": "cilium",
        "deleteAdditionalResources": True,
        "apiAllowedCidrs": (),
        "autoUpgrade": {"enabled": True, "day": "any", "startHour": 3},
        "autoscaler": {
            "scaleDownDelayAfterAdd": "10m",
            "scaleDownUnneededTime": "10m",
            "scaleDownUtilizationThreshold": 0.5,
            "maxGracefulTerminationSec": 600,
            "expander": "least_waste",
        },
    },
    "systemPool": {"name": "system", "nodeType": "PLAY2-NANO", "size": 1, "autohealing": True},
    "kubernetes": {
        "serviceAccount": "app-deployer",
        "deployerRules": (),
        "containerMemoryLimit": "8Gi",
        "egressPorts": (22, 80, 443, 6443),
        "egressBlockedCidrs": ("100.64.0.0/15", "169.254.0.0/16"),
    },
    "appCluster": None,
    "rotation": {"days": 30, "overlapDays": 2, "serial": 0},
    "stateBackend": None,
    "runnerChart": {"version": "0.86.0", "repository": "https://charts.gitlab.io"},
}
POOL = {
    "nodeType": "GP1-XS",
    "size": 2,
    "autoscaling": False,
    "minSize": 1,
    "maxSize": 5,
    "autohealing": True,
    "rootVolumeSizeGb": None,
}
GITLAB = {
    "project": "acme/app",
    "furtherProjects": ("acme/platform",),
    "operationsProject": "acme/platform",
    "schedules": {
        "rotation": {"enabled": True, "timezone": "UTC", "cron": "23 2 * * *"},
        "drift": {"enabled": True, "timezone": "UTC", "cron": "23 4 * * *"},
    },
    "enterprise": True,
    "premium": False,
    "releaseTags": None,
    "url": "https://gitlab.com/",
    "mailingListUserId": 2,
    "promotionToken": {"enabled": True, "accessLevel": "developer", "expirationDays": 90, "rotateBeforeDays": 30},
    "variables": {},
}

RUNNER = {
    "app_cluster_rules": (),
    "given_key": False,
    "projects": (),
    "tag": None,
    "condition": None,
    "concurrent": 10,
    "job_timeout_seconds": 3600,
    "poll_timeout_seconds": 180,
    "image": "alpine:3.22",
    "helper_image": "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64-v18.9.0",
    "cpu_request": "500m",
    "memory_request": "1Gi",
    "service_cpu_request": "100m",
    "service_memory_request": "128Mi",
    "helper_cpu_request": "100m",
    "helper_memory_request": "128Mi",
}


def expected(stack: str, merge: str, branch: str, kind: str) -> dict[str, Any]:
    return {
        **DEFAULTS,
        "environment": stack,
        "projects": {
            "devops": {"name": f"devops-{stack}", "id": None},
            "target": {"name": f"app-{stack}", "id": None},
            "credentials": {"name": f"credentials-{stack}", "id": None},
        },
        "runnerPool": {"name": stack, **POOL},
        "gitlab": {
            **GITLAB,
            "branch": {"name": branch, "mergeAccessLevel": merge, "pushAccessLevel": "no one"},
            "deployment": {"kind": kind, "deployAccessLevel": "maintainer", "requiredApprovals": 0},
        },
    }


def without_runners(found: settings.Settings) -> dict[str, Any]:
    return found.model_dump(by_alias=True, exclude={"runners"})


def test_dev_is_small_and_follows_main(parse: Any) -> None:
    assert without_runners(parse()) == expected("dev", "developer", "main", "development")


def test_preprod_differs_in_its_names_and_in_who_may_merge(parse: Any) -> None:
    assert without_runners(parse(stack="preprod")) == expected("preprod", "maintainer", "preprod", "staging")


def test_prod_grows_with_the_jobs_and_upgrades_on_sunday_nights(parse: Any) -> None:
    prod = expected("prod", "maintainer", "prod", "production") | {"protection": True}
    prod["gitlab"] |= {"releaseTags": "v*"}
    prod["runnerPool"] |= {"autoscaling": True, "minSize": 2}
    prod["systemPool"] = prod["systemPool"] | {"size": 2}
    prod["cluster"] = prod["cluster"] | {"autoUpgrade": {"enabled": True, "day": "sunday", "startHour": 2}}
    assert without_runners(parse(stack="prod")) == prod


def test_one_environment_protects_the_release_tags(parse: Any) -> None:
    """Two would compete for one protection of the same GitLab project."""
    tags = {stack: parse(stack=stack).gitlab.release_tags for stack in ("dev", "preprod", "prod")}
    assert tags == {"dev": None, "preprod": None, "prod": "v*"}


@pytest.mark.parametrize("stack", ["dev", "preprod", "prod"])
def test_each_stack_has_a_runner_that_writes_and_one_that_reads(parse: Any, stack: str) -> None:
    deploy, preview = (runner.model_dump() for runner in parse(stack=stack).runners)
    assert deploy == RUNNER | {
        "name": "deploy",
        "permission_sets": (
            "ContainerRegistryFullAccess",
            "KubernetesFullAccess",
            "PrivateNetworksFullAccess",
            "VPCFullAccess",
        ),
        "protected": True,
    }
    assert preview == RUNNER | {
        "name": "preview",
        "permission_sets": (
            "ContainerRegistryReadOnly",
            "KubernetesReadOnly",
            "PrivateNetworksReadOnly",
            "VPCReadOnly",
        ),
        "protected": False,
    }


def test_a_stack_that_names_no_runners_has_the_same(parse: Any) -> None:
    assert parse({"runners": []}).runners == parse({"runners": ...}).runners == parse().runners


def test_the_runners_that_a_stack_names_are_all_that_it_has(parse: Any) -> None:
    assert [runner.name for runner in parse({"runners": [{"name": "build"}]}).runners] == ["build"]


def test_a_state_backend_has_the_region_of_paris_unless_told(parse: Any) -> None:
    bucket = {"bucket": "acme-pulumi-state", "projectId": "11111111-2222-3333-4444-555555555555"}
    found = parse({"stateBackend": bucket}).state_backend
    assert found.model_dump(by_alias=True) == bucket | {"region": "fr-par"}


PLAIN = {"environment", "protection"}  # these are no sections


def test_the_project_file_declares_every_section_and_no_other() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert list(declared) == [field.alias for field in settings.Settings.model_fields.values()]
    types = {
        field.alias: {"environment": "string", "protection": "boolean", "runners": "array"}.get(
            str(field.alias), "object"
        )
        for field in settings.Settings.model_fields.values()
    }
    assert {key: each["type"] for key, each in declared.items()} == types


@pytest.mark.parametrize("section", sorted({str(f.alias) for f in settings.Settings.model_fields.values()} - PLAIN))
def test_the_project_files_description_of_a_section_names_its_keys(section: str) -> None:
    """All, and no other: `What it is: key, key.`"""
    described = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"][section]["description"]
    names = described.rpartition(": ")[2].removesuffix(".").split(", ")
    keys = [key.removeprefix(f"{section}.") for key in FIELDS if re.fullmatch(rf"{section}\.\w+", key)]
    assert sorted(names) == sorted(keys)


def test_the_projects_defaults_mean_not_set(values: Callable[[str], dict[str, Any]], parse: Any) -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert {json.dumps(each["default"]) for each in declared.values()} == {'""', "{}", "[]", "false"}
    own = {key: value for key, value in values("dev").items() if value not in ("", {}, [], False)}
    assert settings.parse({k: v if isinstance(v, str) else json.dumps(v) for k, v in own.items()}, "dev") == parse()


def test_the_environment_is_the_stacks_name_unless_it_is_set(parse: Any) -> None:
    assert parse({"environment": ""}, stack="dev").environment == "dev"
    assert parse({"environment": "staging"}, stack="dev").environment == "staging"


def test_an_environment_of_digits_is_read_as_text(problems: Any) -> None:
    assert problems({"environment": "12"})[0].startswith("environment = '12' (Pulumi.dev.yaml): must match ")


def test_a_section_set_as_json_text_is_the_same(parse: Any) -> None:
    """`pulumi config set runnerPool '{…}'` stores text: top-level values are text always."""
    text = json.dumps({"name": "dev", "nodeType": "GP1-S", "size": 3})
    assert parse({"runnerPool": text}).runner_pool.size == 3


def test_values_that_the_command_line_stores_as_text_are_numbers(parse: Any) -> None:
    """`pulumi config set --path` keeps 0.5 as text."""
    found = parse({"cluster.autoscaler.scaleDownUtilizationThreshold": "0.25", "runnerPool.size": "3"})
    assert found.cluster.autoscaler.scale_down_utilization_threshold == 0.25
    assert found.runner_pool.size == 3


def test_settings_cannot_be_changed(parse: Any) -> None:
    with pytest.raises(ValueError, match="frozen"):
        parse().environment = "prod"


def test_load_reads_the_selected_stack_and_no_other_projects_keys(
    monkeypatch: pytest.MonkeyPatch, values: Callable[[str], dict[str, Any]], parse: Any
) -> None:
    monkeypatch.setattr(pulumi, "get_stack", lambda: "preprod")
    monkeypatch.setattr(pulumi, "get_project", lambda: "kapsule-devops")
    given = {f"kapsule-devops:{k}": v if isinstance(v, str) else json.dumps(v) for k, v in values("preprod").items()}
    config = pulumi.runtime.config.CONFIG
    before = config.set(given | {"scaleway:region": "nl-ams", "kapsule-devops-other:cluster": "5"})
    try:
        assert settings.load() == parse(stack="preprod")
    finally:
        config.reset(before)


def fields_of(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel], FieldInfo]]:
    """Every key with the model that has it, sections and what is inside them."""
    for name, field in model.model_fields.items():
        here = f"{path}{field.alias or name}"
        yield here, model, field
        for candidate in (field.annotation, *get_args(field.annotation)):
            if isinstance(candidate, type) and issubclass(candidate, Section):
                yield from fields_of(candidate, f"{here}.")


FIELDS = {key: (model, field) for key, model, field in fields_of(settings.Settings)}


@pytest.mark.parametrize("key", [key for key, (_, field) in FIELDS.items() if not field.is_required()])
def test_every_default_is_itself_valid(key: str) -> None:
    """Pydantic does not check a default: one that its own rule refuses would go unseen."""
    model, field = FIELDS[key]
    name = next(n for n, f in model.model_fields.items() if f is field)
    default = json.loads(model.model_construct().model_dump_json(include={name}, by_alias=True))
    assert list(default) == [field.alias]
    wrong: list[str] = []
    try:
        model.model_validate(default)
    except ValidationError as error:  # of keys that are required beside it
        wrong = [f"{e['loc']}: {e['msg']}" for e in error.errors() if e["type"] != "missing"]
    assert wrong == []


@pytest.mark.parametrize("key", FIELDS)
def test_every_setting_has_a_meaning_and_a_consequence(key: str) -> None:
    _, field = FIELDS[key]
    assert field.description
    assert field.description.endswith(".")
    assert isinstance(field.json_schema_extra, dict)
    consequence = str(field.json_schema_extra["consequence"])
    assert consequence
    assert not consequence.endswith(".")
