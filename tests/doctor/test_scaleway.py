"""Scaleway: whose key it is, how long it lasts, whether it is the account's, and what it may do, against the stand-in."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from doctor.clock import Clocks
from doctor.expiry import expiry_check
from doctor.scaleway_area import ScalewayArea
from doctor.scaleway_permissions import ORGANIZATION_SETS, PROJECT_SETS, Grant, Project, permission_checks
from doctor.stack_file import StackFile
from doctor.verdicts import Check, Verdict, ok
from tests.doctor.conftest import NOWHERE, FileOf, not_right, told

ALL_SETS = [name for names in PROJECT_SETS.values() for name in names]
ORGANIZATION = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-2222-3333-4444-555555555555"
Ask = Callable[..., list[Check]]


@pytest.fixture
def file(api: Any, file_of: FileOf) -> StackFile:
    """dev's, with the stand-in's account."""
    account = {"organizationId": api.account.organization_id, "projectId": api.account.project_id}
    return file_of(account=account)


@pytest.fixture
def ask(api: Any, file: StackFile, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The area's checks with a key, the owner's unless another is given; more are variables."""

    def run(key: Any = None, stack_file: StackFile = file, clocks: Clocks | None = None, **more: str) -> list[Check]:
        credentials = api.variables(key) | more
        for name, value in credentials.items():
            monkeypatch.setenv(name, value)
        area = ScalewayArea(environment=credentials, file=stack_file, clocks=clocks or Clocks())
        return list(area.checks())

    return run


def rules(api: Any, *names: str, **more: Any) -> dict[str, Any]:
    return {"permission_set_names": list(names), "organization_id": api.account.organization_id} | more


# --- against the stand-in


def test_the_owners_key_may_all(ask: Ask, api: Any) -> None:
    clocks = Clocks()
    found = ask(clocks=clocks)
    assert not_right(found) == [
        ("warning", "the key never expires: should have an end, or one that leaks is good for ever")
    ]
    texts = told(found, Verdict.OK)
    assert texts[0].endswith(", the organization's owner")
    assert texts[1:] == [
        f"organization {api.account.organization_id}, default project {api.account.project_id}: as the settings say",
        "may do all: the organization's owner needs no policy",
    ]
    assert abs(clocks.offsets["Scaleway"]) < 60


def test_the_sets_that_the_readme_names_are_enough_by_policy_and_by_group(ask: Ask, api: Any) -> None:
    ends = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    key = api.key(rules(api, "ProjectManager", "IAMManager"), expires_at=ends)
    group = api.post("/iam/v1alpha1/groups", {"name": "administrators"})["id"]
    api.post(f"/iam/v1alpha1/groups/{group}/add-member", {"application_id": key["application_id"]})
    api.post("/iam/v1alpha1/policies", {"name": "products", "group_id": group, "rules": [rules(api, *ALL_SETS)]})
    found = ask(key)
    assert not_right(found) == []
    assert [text for text in told(found, Verdict.OK) if text.startswith("may do")] == [
        "may do ProjectManager in the organization",
        "may do IAMManager in the organization",
        "may do KubernetesFullAccess in devops-dev",
        "may do VPCFullAccess in devops-dev",
        "may do PrivateNetworksFullAccess in devops-dev",
        "may do SecretManagerFullAccess in credentials-dev",
    ]


def test_each_set_that_is_missing_is_told(ask: Ask, api: Any) -> None:
    found = ask(api.key(rules(api, "IAMManager"), rules(api, "KubernetesFullAccess", "SecretManagerReadOnly")))
    assert told(found, Verdict.WRONG) == [
        f"may not do {name} in {place}: the key's bearer must have it, or `pulumi up` stops half-way"
        for name, place in (
            ("VPCFullAccess", "devops-dev"),
            ("PrivateNetworksFullAccess", "devops-dev"),
            ("SecretManagerFullAccess", "credentials-dev"),
        )
    ]


def test_a_set_for_some_projects_counts_in_those_that_exist(ask: Ask, api: Any) -> None:
    devops = api.project("devops-dev")
    products = {"permission_set_names": ["AllProductsFullAccess"], "project_ids": [devops]}
    found = ask(api.key(rules(api, "IAMManager"), products))
    assert told(found, Verdict.WRONG) == []
    assert told(found, Verdict.UNKNOWN) == [
        "may do SecretManagerFullAccess in some projects; credentials-dev is still to be made, and cannot be one of them"
    ]
    api.project("credentials-dev")
    assert len(told(ask(api.key(rules(api, "IAMManager"), products)), Verdict.WRONG)) == 1


def test_a_guest_of_another_stacks_cluster_has_no_project_for_one(ask: Ask, api: Any, file_of: FileOf) -> None:
    account = {"organizationId": api.account.organization_id, "projectId": api.account.project_id}
    guest = file_of(account=account, cluster={"mode": "shared", "ownerStack": "preprod"}, projects={"devops": None})
    found = ask(api.key(rules(api, "IAMManager", "ProjectManager"), rules(api, "SecretManagerFullAccess")), guest)
    assert told(found, Verdict.WRONG) == []
    assert told(found, Verdict.UNKNOWN) == ["what the key may do in the project of the cluster: another stack owns it"]


def test_a_key_that_may_not_look_is_unknown(ask: Ask, api: Any) -> None:
    found = ask(api.key(rules(api, *ALL_SETS)))
    assert [verdict for verdict, _ in not_right(found)] == ["warning", "WRONG", "unknown"]
    assert told(found, Verdict.UNKNOWN) == ["what the key may do: it is not known whose it is"]


def test_a_key_that_is_none_ends_soon_or_has_ended_is_told(ask: Ask, api: Any) -> None:
    unknown_key = {"access_key": "SCWXXXXXXXXXXXXXXXXX", "secret_key": ORGANIZATION}
    assert told(ask(unknown_key), Verdict.WRONG) == [
        "Scaleway refuses the key (401): must be valid, neither expired nor deleted, or nothing can be made"
    ]
    now = datetime.now(UTC)
    soon = api.key(rules(api, "IAMManager"), expires_at=(now + timedelta(days=13)).isoformat())
    assert any("must last 14 days more" in text for text in told(ask(soon), Verdict.WARNING))
    api.clock.moment = now + timedelta(days=20)
    assert told(ask(soon), Verdict.WRONG)[0].startswith("Scaleway refuses the key (401)")


def test_another_account_is_told_in_the_programs_words(ask: Ask, api: Any, file_of: FileOf) -> None:
    found = ask(stack_file=file_of(account={"organizationId": ORGANIZATION, "projectId": ORGANIZATION}))
    assert told(found, Verdict.WRONG) == [
        f"account.organizationId = '{ORGANIZATION}' (Pulumi.dev.yaml): must be the organization of the credentials, which "
        f"is {api.account.organization_id}, or another account is changed",
        f"account.projectId = '{ORGANIZATION}' (Pulumi.dev.yaml): must be the default project of the credentials, which is "
        f"{api.account.project_id}, or another account is changed",
    ]
    wrong_project = told(ask(SCW_DEFAULT_PROJECT_ID=OTHER), Verdict.WRONG)
    assert wrong_project[0].startswith(f"the default project, {OTHER}, must be one that the credentials may see")


def test_credentials_that_are_none_are_told_without_them(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, unread: StackFile
) -> None:
    assert told(ask(SCW_SECRET_KEY=""), Verdict.WRONG)[0].startswith("there are no Scaleway credentials")
    odd = ask(SCW_SECRET_KEY="SECRET-VALUE")
    assert told(odd, Verdict.WRONG)[0].startswith("the Scaleway credentials (SCW_…) are not well-formed")
    assert not [check for check in odd if "SECRET-VALUE" in check.text + check.fix]
    assert told(ask(stack_file=unread), Verdict.SKIPPED) == ["account: the settings must be right first"]


def test_no_network_is_told(ask: Ask) -> None:
    assert told(ask(SCW_API_URL=NOWHERE), Verdict.WRONG) == [
        "Scaleway cannot be reached (ConnectionError): must be, or nothing can be asked or made"
    ]


# --- the rules


def grant(*sets: str, projects: set[str] | None = None, condition: str = "") -> Grant:
    return Grant(sets=frozenset(sets), projects=None if projects is None else frozenset(projects), condition=condition)


DEVOPS = Project(key="devops", label="devops-dev", id="1")
CREDENTIALS = Project(key="credentials", label="credentials-dev", id="2")


@pytest.mark.parametrize(
    ("sets", "right"),
    [
        ({"ProjectManager", "IAMManager"}, 2),
        ({"IAMManager"}, 2),
        ({"OrganizationManager"}, 2),
        ({"ProjectManager"}, 1),
        ({"AllProductsFullAccess", "IAMReadOnly", "ProjectReadOnly", "IAMPolicyManager"}, 0),
    ],
)
def test_which_sets_of_the_organization_cover_which(sets: set[str], right: int) -> None:
    found = list(permission_checks([grant(*sets)], []))
    assert len(found) == len(ORGANIZATION_SETS)
    assert len(told(found, Verdict.OK)) == right
    assert len(told(found, Verdict.WRONG)) == 2 - right


def test_organization_manager_covers_no_product() -> None:
    found = list(permission_checks([grant("OrganizationManager")], [DEVOPS, CREDENTIALS]))
    assert len(told(found, Verdict.WRONG)) == len(ALL_SETS)


def test_a_condition_makes_it_unknown_unless_another_rule_has_none() -> None:
    with_condition = grant("IAMManager", "AllProductsFullAccess", condition="request.ip == '192.0.2.1'")
    found = list(permission_checks([with_condition], [CREDENTIALS]))
    assert [check.verdict for check in found] == [Verdict.UNKNOWN] * 3
    both = list(permission_checks([with_condition, grant("SecretManagerFullAccess", projects={"2"})], [CREDENTIALS]))
    assert [check.verdict for check in both] == [Verdict.UNKNOWN] * 2 + [Verdict.OK]


def test_a_rule_for_another_project_does_not_count() -> None:
    found = list(permission_checks([grant("SecretManagerFullAccess", projects={"1"})], [CREDENTIALS]))
    assert found[2].verdict is Verdict.WRONG


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [
        (None, Verdict.WARNING),
        (NOW - timedelta(seconds=1), Verdict.WRONG),
        (NOW, Verdict.WRONG),
        (NOW + timedelta(days=14), Verdict.WARNING),
        (NOW + timedelta(days=14, seconds=1), Verdict.OK),
    ],
)
def test_when_a_credential_ends(ends: datetime | None, verdict: Verdict) -> None:
    assert expiry_check("the key", ends, NOW, "renew", soon_is_wrong=False).verdict is verdict
    if verdict is Verdict.OK:
        assert expiry_check("the key", ends, NOW, "renew", soon_is_wrong=True) == ok("the key expires on 2026-12-07")
    elif ends is not None:
        assert expiry_check("the key", ends, NOW, "renew", soon_is_wrong=True).verdict is Verdict.WRONG
