"""The conditions of rules: which are taken, and to which requests a rule then applies."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.scaleway.conditions import Attributes, ConditionError, check, holds

# 15:00 in UTC is 17:00 in Paris, on a Monday.
REQUEST = Attributes(ip="192.0.2.7", time=datetime(2026, 5, 4, 15, 0, tzinfo=UTC), user_agent="scw/2 terraform/1.9")


@pytest.mark.parametrize(
    ("condition", "applies"),
    [
        ("", True),
        ("true", True),
        ('request.ip == "192.0.2.7"', True),
        ("request.ip == '192.0.2.8'", False),
        ('request.ip.startsWith("192.0.2.")', True),
        ('inIpRange(request.ip, "192.0.2.0/24")', True),
        ('inIpRange(request.ip, "192.0.2.7")', True),
        ('inIpRange(request.ip, "192.0.2.9/24")', True),
        ('inIpRange(request.ip, "198.51.100.0/24")', False),
        ('inIpRange(request.ip, "2001:db8::/32")', False),
        ('inIpRange(request.ip, "not a subnet")', False),
        ('!inIpRange(request.ip, "not a subnet")', False),
        ('request.user_agent.contains("terraform/")', True),
        ('request.user_agent.contains("pulumi")', False),
        ('request.user_agent.matches("^scw/[0-9]+ ")', True),
        ('request.user_agent.matches("(")', False),
        ("request.time.getDayOfWeek() != 0 && request.time.getDayOfWeek() != 6", True),
        ('request.time.getHours("Europe/Paris") == 17', True),
        ("request.time.getHours() == 15", True),
        ('request.time.getHours("Nowhere/At/All") == 15', False),
        ('request.time < timestamp("2026-05-04T15:00:00Z")', False),
        ('request.time >= timestamp("2026-05-04T15:00:00Z")', True),
        ('request.time - timestamp("2026-05-04T12:00:00Z") == duration("3h")', True),
        ("request.time.getFullYear() < 2020 || request.ip == '192.0.2.7'", True),
        ("!(request.time.getFullYear() < 2020)", True),
        ('request.ip in ["192.0.2.6", "192.0.2.7"]', True),
        ("1 / 0 == 1", False),
        ("dyn(1)", False),
    ],
)
def test_a_condition_holds(condition: str, applies: bool) -> None:
    check(condition)
    assert holds(condition, REQUEST) is applies


REFUSED = [
    "request.ip ==",
    "when it rains",
    "request.ip",
    "1",
    " ",
    "request.country == 'fr'",
    "resource.name.startsWith('/folder/')",
    "ping(request.ip)",
    "inIpRange(request.ip)",
    "request.time < '2026-05-04'",
    "(" * 500 + "true" + ")" * 500,
    "\ud800",
    "true\0",
]


@pytest.mark.parametrize("condition", REFUSED)
def test_what_is_not_a_condition(condition: str) -> None:
    with pytest.raises(ConditionError, match=r"\w") as caught:
        check(condition)
    assert "\n" not in str(caught.value)
    assert holds(condition, REQUEST) is False


def test_the_user_agent_is_cut() -> None:
    request = Attributes(ip=REQUEST.ip, time=REQUEST.time, user_agent="a" * 255 + "b")
    assert holds('!request.user_agent.contains("b") && size(request.user_agent) == 255', request)


def rule(api: Any, condition: Any) -> Any:
    return {
        "permission_set_names": ["KubernetesReadOnly"],
        "project_ids": [api.account.project_id],
        "condition": condition,
    }


@pytest.mark.parametrize("condition", [*(text for text in REFUSED if text != "\ud800"), 7, ["true"]])
def test_a_policy_with_such_a_condition_is_refused(api: Any, condition: Any) -> None:
    body = {"name": "p", "no_principal": True, "rules": [rule(api, condition)]}
    error = api.post("/iam/v1alpha1/policies", body, 400)
    assert error["type"] == "invalid_arguments"
    assert (error["details"][0]["argument_name"], error["details"][0]["reason"]) == ("condition", "format")
    policy = api.post("/iam/v1alpha1/policies", body | {"rules": [rule(api, "true")]})
    api.put("/iam/v1alpha1/rules", {"policy_id": policy["id"], "rules": [rule(api, condition)]}, 400)
    assert [r["condition"] for r in api.get("/iam/v1alpha1/rules", policy_id=policy["id"])["rules"]] == ["true"]


# Through the service.

VERSIONS = "/k8s/v1/regions/fr-par/versions"


def test_a_rule_for_some_addresses(api: Any) -> None:
    token = api.token(rule(api, 'inIpRange(request.ip, "198.51.100.0/24")'))
    denied = api.ask("GET", VERSIONS, None, 403, token=token)
    assert denied["details"] == [{"action": "list", "resource": "version"}]
    api.ask("GET", VERSIONS, token=token, headers={"X-Sandbox-Client-Ip": "198.51.100.4"})
    for elsewhere in ("203.0.113.1", "nonsense", "2001:db8::1"):
        api.ask("GET", VERSIONS, None, 403, token=token, headers={"X-Sandbox-Client-Ip": elsewhere})
    here = api.token(rule(api, 'request.ip == "127.0.0.1"'))
    api.ask("GET", VERSIONS, token=here)
    api.ask("GET", VERSIONS, None, 403, token=here, headers={"X-Sandbox-Client-Ip": "203.0.113.1"})


def test_a_rule_for_some_hours(api: Any) -> None:
    token = api.token(rule(api, 'request.time.getHours("Europe/Paris") < 17'))
    api.clock.moment = datetime(2026, 5, 4, 14, 59, tzinfo=UTC)
    api.ask("GET", VERSIONS, token=token)
    api.clock.moment = datetime(2026, 5, 4, 15, 0, tzinfo=UTC)
    api.ask("GET", VERSIONS, None, 403, token=token)
    api.get(VERSIONS)


def test_a_rule_for_some_programs(api: Any) -> None:
    token = api.token(rule(api, 'request.user_agent.contains("pulumi")'))
    api.ask("GET", VERSIONS, None, 403, token=token)
    api.ask("GET", VERSIONS, token=token, headers={"User-Agent": "terraform-provider pulumi/3"})


def test_one_rule_that_applies_is_enough(api: Any) -> None:
    never = rule(api, 'request.ip == "198.51.100.1"')
    api.ask("GET", VERSIONS, None, 403, token=api.token(never, never))
    api.ask("GET", VERSIONS, token=api.token(never, rule(api, "")))
