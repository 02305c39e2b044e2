"""The rules between keys: right, one argument changed, the exact words."""

from collections.abc import Callable
from typing import Any

import pytest

Problems = Callable[..., list[str]]

ID = "11111111-2222-3333-4444-555555555555"


def told(text: str) -> str:
    return text.replace(" (): ", " (Pulumi.dev.yaml): ")


@pytest.mark.parametrize("name", ["devops", "target", "credentials"])
def test_a_project_is_created_by_name_or_taken_by_id(parse: Any, problems: Problems, name: str) -> None:
    taken = getattr(parse({f"projects.{name}": {"id": ID}}).projects, name)
    assert (taken.name, taken.id) == (None, ID)
    rule = "must have exactly one of name and id, or it is not clear whether the project is created or taken"
    assert problems({f"projects.{name}": {"name": "app", "id": ID}}) == [
        told(f"projects.{name} (): {rule}. Fix: pulumi config rm --path projects.{name}.name")
    ]
    assert problems({f"projects.{name}": {"name": None}}) == [
        told(f"projects.{name} (): {rule}. Fix: pulumi config set --path projects.{name}.name {name}-dev")
    ]


def test_an_empty_project_gets_the_name_of_its_environment(problems: Problems) -> None:
    assert problems({"projects.devops": {}}, stack="prod")[0].endswith(
        "Fix: pulumi config set --path projects.devops.name devops-prod"
    )


def test_the_zone_is_in_the_region(parse: Any, problems: Problems) -> None:
    assert parse({"scaleway": {"region": "nl-ams", "zone": "nl-ams-2"}}).scaleway.zone == "nl-ams-2"
    assert problems({"scaleway": {"region": "nl-ams"}}) == [
        told(
            "scaleway.zone = 'fr-par-1' (): must be in the region nl-ams, or pools and cluster are apart, which Scaleway "
            "refuses. Fix: pulumi config set --path scaleway.zone nl-ams-1"
        )
    ]


def test_a_zone_of_the_same_country_is_not_enough(problems: Problems) -> None:
    (text,) = problems({"scaleway.zone": "fr-lyo-1"})
    assert text.startswith("scaleway.zone = 'fr-lyo-1' (Pulumi.dev.yaml): must be in the region fr-par, ")


def test_a_minor_version_is_upgraded_and_an_exact_one_is_not(parse: Any, problems: Problems) -> None:
    exact = {"cluster.version": "1.35.3", "cluster.autoUpgrade": {"enabled": False}}
    assert parse(exact).cluster.version == "1.35.3"
    rule = "must be a minor version with autoUpgrade.enabled, an exact one without, or Scaleway refuses the cluster"
    fix = "Fix: pulumi config set --path cluster.autoUpgrade.enabled"
    assert problems({"cluster.version": "1.35.3"}) == [told(f"cluster.version = '1.35.3' (): {rule}. {fix} false")]
    assert problems(exact | {"cluster.version": "1.35"}) == [told(f"cluster.version = '1.35' (): {rule}. {fix} true")]


def test_no_two_pools_of_a_cluster_have_one_name(parse: Any, problems: Problems) -> None:
    assert parse({"systemPool.name": "default", "runnerPool.name": "system"}).system_pool.name == "default"
    rule = "must not be systemPool.name, or one is taken for the other, and system pods find no node without a taint"
    fix = "Fix: pulumi config set --path runnerPool.name"
    assert problems({"runnerPool.name": "system"}) == [told(f"runnerPool.name = 'system' (): {rule}. {fix} jobs")]
    both = {"systemPool.name": "jobs", "runnerPool.name": "jobs"}
    assert problems(both) == [told(f"runnerPool.name = 'jobs' (): {rule}. {fix} runners")]


AUTOSCALING = {"runnerPool.autoscaling": True, "runnerPool.minSize": 2, "runnerPool.size": 2, "runnerPool.maxSize": 4}


@pytest.mark.parametrize("size", [2, 3, 4])
def test_a_pool_starts_within_its_limits(parse: Any, size: int) -> None:
    assert parse(AUTOSCALING | {"runnerPool.size": size}).runner_pool.size == size


@pytest.mark.parametrize("size", [1, 5])
def test_a_pool_does_not_start_outside_its_limits(problems: Problems, size: int) -> None:
    assert problems(AUTOSCALING | {"runnerPool.size": size}) == [
        told(
            f"runnerPool.size = {size} (): must be from minSize 2 to maxSize 4, or the pool cannot be created. "
            "Fix: pulumi config set --path runnerPool.size 2"
        )
    ]


def test_the_greatest_size_is_not_below_the_least(parse: Any, problems: Problems) -> None:
    assert parse(AUTOSCALING | {"runnerPool.maxSize": 2}).runner_pool.max_size == 2
    greatest = told(
        "runnerPool.maxSize = 1 (): must be at least minSize 2, or the pool cannot be created. "
        "Fix: pulumi config set --path runnerPool.maxSize 2"
    )
    assert problems(AUTOSCALING | {"runnerPool.maxSize": 1}) == [greatest]
    assert problems(AUTOSCALING | {"runnerPool.maxSize": 1, "runnerPool.size": 3}) == [
        greatest,
        told(
            "runnerPool.size = 3 (): must be from minSize 2 to maxSize 2, or the pool cannot be created. "
            "Fix: pulumi config set --path runnerPool.size 2"
        ),
    ]


def test_limits_mean_nothing_without_autoscaling(parse: Any) -> None:
    sizes = {"runnerPool.size": 9, "runnerPool.minSize": 5, "runnerPool.maxSize": 1}
    assert parse(sizes).runner_pool.size == 9


def test_protected_deployments_want_the_enterprise_distribution(parse: Any, problems: Problems) -> None:
    assert parse({"gitlab.premium": True}).gitlab.premium is True
    assert parse({"gitlab.enterprise": False}).gitlab.premium is False
    assert problems({"gitlab.enterprise": False, "gitlab.premium": True}) == [
        told(
            "gitlab.premium = true (): must be false where enterprise is false, or GitLab has no protected environments. "
            "Fix: pulumi config set --path gitlab.premium false"
        )
    ]


@pytest.mark.parametrize("approvals", [1, 5])
def test_approvals_want_premium(parse: Any, problems: Problems, approvals: int) -> None:
    asked = {"gitlab.deployment": {"requiredApprovals": approvals}}
    assert parse(asked | {"gitlab.premium": True}).gitlab.deployment.required_approvals == approvals
    assert problems(asked) == [
        told(
            f"gitlab.deployment.requiredApprovals = {approvals} (): must be 0 where premium is false, or nobody is asked, "
            "though the settings say so. Fix: pulumi config set --path gitlab.deployment.requiredApprovals 0"
        )
    ]


def test_a_blocked_range_is_not_all_of_ipv4(parse: Any, problems: Problems) -> None:
    """Kubernetes wants what a block excepts to be a part of it; the policies' block is 0.0.0.0/0."""
    key = "kubernetes.egressBlockedCidrs"
    for index, cidrs in enumerate((["0.0.0.0/0", "10.0.0.0/8"], ["10.0.0.0/8", "0.0.0.0/0"])):
        assert problems({key: cidrs}) == [
            told(
                f"{key}[{index}] = '0.0.0.0/0' (): must not be 0.0.0.0/0, or Kubernetes refuses the network policies. "
                f"Fix: pulumi config set --path '{key}[{index}]' 169.254.0.0/16"
            )
        ]
        parse({key: [*cidrs[:index], "169.254.0.0/16", *cidrs[index + 1 :]]})


@pytest.mark.parametrize(
    "cidrs", [["10.0.0.0/8"], ["10.0.0.0/8", "169.254.42.42/32"], ["169.254.0.0/17", "169.254.128.0/17"]]
)
def test_the_metadata_service_of_the_nodes_is_blocked(parse: Any, problems: Problems, cidrs: list[str]) -> None:
    key = "kubernetes.egressBlockedCidrs"
    assert problems({key: cidrs}) == [
        told(
            f"{key} (): must hold 169.254.0.0/16 or a range around it, or a job reads its node's credentials. "
            f"Fix: pulumi config set --path '{key}[{len(cidrs)}]' 169.254.0.0/16"
        )
    ]
    parse({key: [*cidrs, "169.254.0.0/16"]})
    parse({key: [*cidrs, "169.252.0.0/14"]})


def test_a_token_is_renewed_before_its_end(parse: Any, problems: Problems) -> None:
    token = "gitlab.promotionToken"
    days = {f"{token}.expirationDays": 30, f"{token}.rotateBeforeDays": 29}
    assert parse(days).gitlab.promotion_token.rotate_before_days == 29
    assert problems(days | {f"{token}.rotateBeforeDays": 30}) == [
        told(
            f"{token}.rotateBeforeDays = 30 (): must be less than expirationDays 30, or every run renews the token. "
            f"Fix: pulumi config set --path {token}.rotateBeforeDays 10"
        )
    ]


def test_two_runners_have_two_names(parse: Any, problems: Problems) -> None:
    assert [r.name for r in parse({"runners": [{}, {"name": "preview"}]}).runners] == ["deploy", "preview"]
    assert problems({"runners": [{"name": "deploy"}, {"name": "deploy-2"}, {}]}) == [
        told(
            "runners[2].name = 'deploy' (): must be unique, or two runners would share one credential. "
            "Fix: pulumi config set --path 'runners[2].name' deploy-3"
        )
    ]


def test_the_free_name_of_a_long_one_is_not_longer(parse: Any, problems: Problems) -> None:
    name = "a" * 20
    (text,) = problems({"runners": [{"name": name}, {"name": name}]})
    free = text.rpartition(" ")[2]
    assert parse({"runners": [{"name": name}, {"name": free}]}).runners[1].name == free


@pytest.mark.parametrize("name", ["Runners", "runners"])
def test_the_fix_of_a_runners_name_is_a_right_one(problems: Problems, parse: Any, name: str) -> None:
    (text,) = problems({"runners": [{"name": name}]})
    fixed = text.rpartition(" ")[2]
    assert parse({"runners": [{"name": fixed}]}).runners[0].name == fixed


def test_no_runner_has_its_jobs_among_the_managers(parse: Any, problems: Problems) -> None:
    assert parse({"runners": [{"name": "runner"}]}).runners[0].name == "runner"
    assert problems({"runners": [{}, {"name": "runners"}]}) == [
        told(
            "runners[1].name = 'runners' (): must not be runners, or its jobs would share the managers' namespace, and "
            "read their tokens. Fix: pulumi config set --path 'runners[1].name' jobs"
        )
    ]


READS = ["ContainerRegistryReadOnly", "KubernetesReadOnly"]


def test_a_runner_that_only_reads_may_run_jobs_of_any_branch(parse: Any) -> None:
    (runner,) = parse({"runners": [{"permissionSets": READS, "protected": False}]}).runners
    assert (runner.protected, runner.permission_sets) == (False, tuple(READS))


@pytest.mark.parametrize("more", ["VPCFullAccess", "ReadOnlyAccess", "SecretManagerSecretAccess", "x"])
def test_a_runner_that_writes_runs_jobs_of_protected_branches_only(parse: Any, problems: Problems, more: str) -> None:
    assert parse({"runners": [{"permissionSets": [*READS, more]}]}).runners[0].protected is True
    assert problems({"runners": [{}, {"name": "open", "permissionSets": [*READS, more], "protected": False}]}) == [
        told(
            "runners[1].protected = false (): must be true where a permission set does more than read, or whoever may "
            "push a branch may change the cloud. Fix: pulumi config set --path 'runners[1].protected' true"
        )
    ]


def test_a_runner_writes_unless_its_permission_sets_are_said(problems: Problems) -> None:
    (text,) = problems({"runners": [{"protected": False}]})
    assert text.startswith("runners[0].protected = false ")


def test_an_old_key_is_gone_before_the_next_one_comes(parse: Any, problems: Problems) -> None:
    assert parse({"rotation": {"days": 2, "overlapDays": 1}}).rotation.overlap_days == 1
    for days, overlap, right in ((30, 30, 3), (7, 8, 1), (2, 2, 1)):
        assert problems({"rotation": {"days": days, "overlapDays": overlap}}) == [
            told(
                f"rotation.overlapDays = {overlap} (): must be less than days {days}, or keys would pile up. "
                f"Fix: pulumi config set --path rotation.overlapDays {right}"
            )
        ]
        assert parse({"rotation": {"days": days, "overlapDays": right}}).rotation.days == days


@pytest.mark.parametrize("environment", ["default", "kube"])
def test_no_namespace_of_an_environment_is_one_of_kubernetes(problems: Problems, environment: str) -> None:
    """Jobs of an environment `kube` and a runner `system` would run in kube-system."""
    assert problems({"environment": environment}) == [
        told(
            f"environment = '{environment}' (): must not be default or kube, or jobs would share a namespace with "
            "Kubernetes itself. Fix: pulumi config set --path environment dev"
        )
    ]


def test_an_environment_may_be_named_much_like_one(parse: Any) -> None:
    assert parse({"environment": "kubernetes"}).environment == "kubernetes"
    assert parse({"environment": "default2"}).environment == "default2"


@pytest.mark.parametrize(
    ("environment", "first", "rest", "right"),
    [
        ("dev-x", "dev", "x", "devx"),
        ("pre-prod-1", "pre", "prod-1", "preprod1"),
        ("kube-system", "kube", "system", "kubesystem"),
        ("ku-be", "ku", "be", "dev"),
        ("de-fault", "de", "fault", "dev"),
    ],
)
def test_an_environment_has_no_names_of_a_runner_of_another(
    parse: Any, problems: Problems, environment: str, first: str, rest: str, right: str
) -> None:
    assert problems({"environment": environment}) == [
        told(
            f"environment = '{environment}' (): must not hold a hyphen, or its tags and names would be those of a runner "
            f"{rest} in an environment {first}. Fix: pulumi config set --path environment {right}"
        )
    ]
    assert parse({"environment": right}).environment == right


def test_all_rules_tell_at_once(problems: Problems) -> None:
    texts = problems(
        {
            "environment": "default",
            "projects.target": {},
            "scaleway": {"region": "nl-ams"},
            "cluster": {"version": "1.35.1"},
            "runnerPool.autoscaling": True,
            "runnerPool.maxSize": 1,
            "runnerPool.minSize": 3,
            "kubernetes.egressBlockedCidrs": ["0.0.0.0/0"],
            "gitlab.enterprise": False,
            "gitlab.premium": True,
            "gitlab.promotionToken": {"expirationDays": 10, "rotateBeforeDays": 20},
            "gitlab.variables": {"KUBE_NAMESPACE": "x", "API_KEY": "x"},
            "runners": [{}, {}, {"name": "runners"}, {"name": "open", "protected": False}],
            "rotation": {"days": 5, "overlapDays": 5},
        }
    )
    assert [text.partition(" ")[0] for text in texts] == [
        "environment",
        "projects.target",
        "scaleway.zone",
        "cluster.version",
        "runnerPool.maxSize",
        "runnerPool.size",
        "kubernetes.egressBlockedCidrs[0]",
        "gitlab.premium",
        "gitlab.promotionToken.rotateBeforeDays",
        "gitlab.variables.KUBE_NAMESPACE",
        "gitlab.variables.API_KEY",
        "runners[1].name",
        "runners[2].name",
        "runners[3].protected",
        "rotation.overlapDays",
    ]


def test_rules_tell_of_right_sections_beside_wrong_ones(problems: Problems) -> None:
    """Whoever mends one section does not find the next problem only then."""
    texts = problems(
        {
            "cluster.version": 1.35,
            "gitlab": ...,
            "scaleway": {"region": "nl-ams"},
            "runners": [{}, {}],
            "projects.target": {},
        }
    )
    assert [text.partition(" ")[0] for text in texts] == [
        "cluster.version",
        "gitlab",
        "projects.target",
        "scaleway.zone",
        "runners[1].name",
    ]
