"""GitLab: the token, the instance, the projects and the user, against the stand-in and by the rules alone."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ci.errors import CiError
from doctor.clock import Clocks
from doctor.gitlab_area import GitlabArea
from doctor.gitlab_rules import (
    edition_check,
    gives_tokens_by_plan,
    project_check,
    promotion_token_check,
    runners_address_check,
    scope_check,
    token_expiry_check,
    version_check,
)
from doctor.stack_file import StackFile
from doctor.verdicts import Check, Verdict, of_error
from sandbox.gitlab import set_enterprise
from sandbox.gitlab.auth import add_token
from tests.doctor.conftest import NOWHERE, FileOf, Instance, not_right, told

Ask = Callable[..., list[Check]]


@pytest.fixture
def ask(instance: Instance, file_of: FileOf) -> Ask:
    def run(token: str | None = None, file: StackFile | None = None, **more: Any) -> list[Check]:
        """The area's checks, and the error that ends them."""
        environment = {
            "GITLAB_TOKEN": instance.account.token if token is None else token,
            "GITLAB_BASE_URL": f"{more.pop('url', instance.listener.url)}/api/v4/",
        }
        area = GitlabArea(environment=environment, file=file or file_of(), stack="dev", **{"clocks": Clocks()} | more)
        found: list[Check] = []
        try:
            for check in area.checks():
                found.append(check)
        except CiError as error:
            found.append(of_error(error))
        return found

    return run


@pytest.fixture
def personal(instance: Instance) -> Callable[..., str]:
    """A personal token of alice, who is a Maintainer of both projects, or of bob, a Developer of one."""

    def make(user: str = "alice", scopes: tuple[str, ...] = ("api",), days: int = 60) -> str:
        number = instance.account.alice_id if user == "alice" else instance.account.bob_id
        secret = f"glpat-{user}-{'-'.join(scopes)}-{days}"
        ends = datetime.now(UTC).date() + timedelta(days=days)
        add_token(instance.store, number, secret, name="laptop", scopes=scopes, expires_at=ends)
        return secret

    return make


# --- against the stand-in


def test_an_administrator_may_all(ask: Ask, instance: Instance) -> None:
    clocks = Clocks()
    found = ask(clocks=clocks)
    assert not_right(found) == [
        ("warning", "the token never expires: should have an end, or one that leaks is good for ever")
    ]
    assert told(found, Verdict.OK) == [
        "the token has the scope api",
        "GitLab 19.4.0-ee",
        "an Enterprise Edition, as gitlab.enterprise says",
        "project acme/app: administrator",
        "project acme/app: branch main",
        "project acme/platform: administrator",
        "project acme/platform: branch main",
        "user 2 is assigned promotion requests: @alice",
    ]
    assert abs(clocks.offsets["GitLab"]) < 60
    asked = [operation for operation, _ in instance.operations()]
    assert len(asked) == len(set(asked)) + 2  # each once, and each project's two


def test_a_maintainer_is_right(ask: Ask, personal: Callable[..., str]) -> None:
    found = ask(personal())
    assert not_right(found) == []
    assert {"project acme/app: Maintainer", "project acme/platform: Maintainer"} <= set(told(found, Verdict.OK))


def test_a_developer_and_a_project_that_is_not_seen_are_told(ask: Ask, personal: Callable[..., str]) -> None:
    assert told(ask(personal("bob")), Verdict.WRONG) == [
        "project acme/app: the token's role is Developer, and must be Maintainer or more, or GitLab refuses changes",
        "project acme/platform: must exist, and the token have a role in it, or nothing of it can be set up",
    ]


def test_a_project_token_tells_of_itself_too(ask: Ask, instance: Instance, file_of: FileOf) -> None:
    token = instance.project_token()["token"]
    found = ask(token, file_of(gitlab={"furtherProjects": [], "operationsProject": None, "schedules": {}}))
    assert not_right(found) == []
    assert "project acme/app: Maintainer" in told(found, Verdict.OK)


def test_a_token_that_is_refused_is_told_and_not_shown(ask: Ask, personal: Callable[..., str]) -> None:
    for token, why in (("glpat-" + "x" * 20, "401"), (personal(days=0), "Token is expired")):
        (check,) = ask(token)
        assert check.verdict is Verdict.WRONG
        assert "refuses GITLAB_TOKEN" in check.text
        assert why in check.text
        assert token not in check.text + check.fix
    assert told(ask(""), Verdict.WRONG) == [
        "GITLAB_TOKEN is not set: must hold an access token, or GitLab refuses every request"
    ]


def test_a_scope_that_is_missing_and_an_end_that_is_near_are_told(ask: Ask, personal: Callable[..., str]) -> None:
    found = ask(personal(scopes=("read_user", "read_repository")))
    assert not_right(found) == [
        ("WRONG", "the token's scopes are read_user, read_repository: api must be one, or GitLab refuses changes"),
        ("skipped", "instance and projects: the token must have the scope api first"),
    ]
    near = ask(personal(days=13))
    day = date.today() + timedelta(days=13)
    assert told(near, Verdict.WRONG) == [f"the token expires on {day}: must last 14 days more, or runs fail soon"]
    assert "project acme/app: Maintainer" in told(near, Verdict.OK)


def test_what_the_settings_name_and_is_not_there_is_told(ask: Ask, file_of: FileOf) -> None:
    keys = {"furtherProjects": ["acme/none"], "operationsProject": "acme/none", "mailingListUserId": 99}
    found = ask(file=file_of(gitlab=keys | {"branch": {"name": "trunk"}}))
    assert told(found, Verdict.WRONG) == [
        "project acme/app has no branch trunk: must have it, or no pipeline of the environment runs",
        "project acme/none: must exist, and the token have a role in it, or nothing of it can be set up",
        "gitlab.mailingListUserId = 99 (Pulumi.dev.yaml): must be the id of a user, or nobody hears of promotions",
    ]


@pytest.mark.parametrize("enterprise", [True, False])
def test_the_other_edition_is_told(ask: Ask, instance: Instance, file_of: FileOf, enterprise: bool) -> None:
    set_enterprise(instance.store, enterprise)
    assert told(ask(file=file_of(gitlab={"enterprise": enterprise})), Verdict.WRONG) == []
    (check,) = [each for each in ask(file=file_of(gitlab={"enterprise": not enterprise})) if each.fix][1:]
    assert check.verdict is Verdict.WRONG
    assert check.fix == f"pulumi config set --path gitlab.enterprise {str(enterprise).lower()} --stack dev"


def test_without_settings_the_rest_is_told(ask: Ask, unread: StackFile) -> None:
    found = ask(file=unread)
    assert told(found, Verdict.SKIPPED) == ["projects, branches and users: the settings must be right first"]
    assert "GitLab 19.4.0-ee" in told(found, Verdict.OK)


def test_no_network_and_another_server_are_told(ask: Ask, api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ci.gitlab_client.RETRIES", 0)
    assert f"{NOWHERE} cannot be reached (no connection)" in told(ask(url=NOWHERE), Verdict.WRONG)[0]
    assert len(told(ask(url=api.url), Verdict.WRONG)) == 1


@pytest.mark.parametrize(
    "url", ["gitlab.example.com", "https://user:SECRET-VALUE@x", "http://x:y", "ftp://x", "https://"]
)
def test_an_address_that_is_none_is_told_without_it(ask: Ask, url: str) -> None:
    (check,) = ask(url=url)
    assert check.text.startswith("GITLAB_BASE_URL must be http(s)://HOST/api/v4/")
    assert "SECRET-VALUE" not in check.text + check.fix


class GitlabCom:
    """Answers of a GitLab with plans, which the stand-in is not: those of its group are told to owners."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def http_get(self, path: str) -> dict[str, Any]:
        self.asked.append(path)
        projects = {"/projects/acme%2Fapp": 7, "/projects/acme%2Fplatform": 8}
        if path in projects:
            return {"id": projects[path], "namespace": {"id": 70} if path.endswith("app") else "odd"}
        return {"plan": "free"} if path == "/namespaces/70" else {}


@pytest.mark.parametrize(
    ("address", "enabled", "found"),
    [
        ("https://gitlab.com/api/v4/", True, [(Verdict.WRONG, "acme/app"), (Verdict.UNKNOWN, "acme/platform")]),
        ("https://gitlab.com/api/v4/", False, []),
        ("https://gitlab.example.com/api/v4/", True, []),
    ],
)
def test_on_gitlab_com_the_plan_is_asked_of_each_project_that_gets_a_token(
    file_of: FileOf, address: str, enabled: bool, found: list[tuple[Verdict, str]]
) -> None:
    client = GitlabCom()
    file = file_of(gitlab={"promotionToken": {"enabled": enabled}})
    area = GitlabArea(environment={"GITLAB_BASE_URL": address}, file=file, stack="dev", clocks=Clocks())
    told_of_all = area._project_checks(client, administrator=True)  # type: ignore[arg-type] # only http_get is used
    checks = [check for check in told_of_all if "plan" in check.text]
    assert [(check.verdict, check.text.split()[1].rstrip(":")) for check in checks] == found
    assert [path for path in client.asked if "namespaces" in path] == (["/namespaces/70"] if found else [])


# --- the rules

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("role", "verdict"),
    [
        ({"project_access": {"access_level": 40}, "group_access": None}, Verdict.OK),
        ({"project_access": {"access_level": 30}, "group_access": {"access_level": 50}}, Verdict.OK),
        ({"project_access": {"access_level": 30}, "group_access": None}, Verdict.WRONG),
        ({"project_access": None, "group_access": None}, Verdict.UNKNOWN),
        ({"project_access": "odd"}, Verdict.UNKNOWN),
        (None, Verdict.UNKNOWN),
    ],
)
def test_the_role_is_the_higher_of_both(role: Any, verdict: Verdict) -> None:
    assert project_check("acme/app", {"permissions": role}, administrator=False).verdict is verdict
    assert project_check("acme/app", {"permissions": role}, administrator=True).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("version", "verdict"),
    [
        ("16.0.0", Verdict.OK),
        ("19.4.0-ee", Verdict.OK),
        ("15.11.13-ee", Verdict.WRONG),
        ("9.5.0", Verdict.WRONG),
        ("new", Verdict.UNKNOWN),
        (None, Verdict.UNKNOWN),
    ],
)
def test_the_instance_is_not_too_old(version: Any, verdict: Verdict) -> None:
    assert version_check({"version": version}).verdict is verdict


def test_what_gitlab_does_not_tell_is_unknown() -> None:
    found = [
        scope_check({}),
        token_expiry_check({"expires_at": "soon"}, NOW),
        edition_check({"version": "16.0.0"}, True, "dev"),
    ]
    assert [check.verdict for check in found] == [Verdict.UNKNOWN] * 3


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [
        (None, Verdict.WARNING),
        ("2026-12-08", Verdict.OK),
        ("2026-12-08T00:00:00+00:00", Verdict.OK),
        ("2026-12-07", Verdict.WRONG),
        ("2026-11-23", Verdict.WRONG),
    ],
)
def test_the_end_of_a_token_is_a_day(ends: str | None, verdict: Verdict) -> None:
    assert token_expiry_check({"expires_at": ends}, NOW).verdict is verdict


@pytest.mark.parametrize(
    ("wanted", "asked", "verdict"),
    [
        ("https://gitlab.com/", "https://gitlab.com/api/v4/", Verdict.OK),
        ("https://GitLab.com/", "https://gitlab.com/api/v4", Verdict.OK),
        ("https://gitlab.example.com/", "https://gitlab.example.com:443/api/v4/", Verdict.OK),
        ("https://gitlab.example.com:x/", "https://gitlab.example.com/api/v4/", Verdict.WARNING),
        ("https://gitlab.com/", "https://gitlab.example.com/api/v4/", Verdict.WARNING),
        ("https://gitlab.example.com/", "https://gitlab.example.com:8443/api/v4/", Verdict.WARNING),
        ("http://gitlab.example.com/", "https://gitlab.example.com/api/v4/", Verdict.WARNING),
        ("https://gitlab.com/", "http://127.0.0.1:1234/api/v4/", None),
        ("https://gitlab.com/", "http://localhost/api/v4/", None),
    ],
)
def test_runners_register_where_they_are_made(wanted: str, asked: str, verdict: Verdict | None) -> None:
    found = runners_address_check(wanted, asked, "dev")
    assert (found and found.verdict) is verdict


def test_another_address_is_told_with_the_command_that_mends_it() -> None:
    found = runners_address_check("https://gitlab.com/", "https://gitlab.example.com:8443/api/v4/", "dev")
    assert found is not None
    assert found.text.startswith(
        "gitlab.url = https://gitlab.com/ (Pulumi.dev.yaml): should be https://gitlab.example.com:8443/"
    )
    assert found.fix == "pulumi config set --path gitlab.url https://gitlab.example.com:8443/ --stack dev"


@pytest.mark.parametrize(
    ("namespace", "verdict"),
    [
        ({"plan": "free"}, Verdict.WRONG),
        ({"plan": "premium"}, Verdict.OK),
        ({"plan": "ultimate_trial"}, Verdict.OK),
        ({"plan": 7}, Verdict.UNKNOWN),
        ({}, Verdict.UNKNOWN),
        (None, Verdict.UNKNOWN),
    ],
)
def test_a_promotion_token_wants_a_plan(namespace: Any, verdict: Verdict) -> None:
    found = promotion_token_check("acme/app", namespace, "dev")
    assert found.verdict is verdict
    if verdict is Verdict.WRONG:
        assert found.fix == "pulumi config set --path gitlab.promotionToken.enabled false --stack dev"


@pytest.mark.parametrize(
    ("url", "by_plan"),
    [
        ("https://gitlab.com/api/v4/", True),
        ("https://gitlab.example.com/api/v4/", False),
        ("http://127.0.0.1:1/", False),
    ],
)
def test_only_gitlab_com_gives_tokens_by_plan(url: str, by_plan: bool) -> None:
    assert gives_tokens_by_plan(url) is by_plan
