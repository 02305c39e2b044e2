"""What the plugin asks of GitLab, what it says when it is refused, and its configuration and functions."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from gitlab._backends.requests_backend import RequestsBackend
from pulumi.provider.experimental import provider as api

from sandbox.gitlab import set_enterprise
from sandbox.gitlab_plugin.client import RequestError
from sandbox.gitlab_plugin.errors import PluginError
from sandbox.gitlab_plugin.provider import GitLabProvider
from sandbox.gitlab_plugin.values import UNKNOWN, wrapped, wrapped_map
from tests.sandbox.gitlab.conftest import Engine, Instance

P = "acme/app"


def test_branch_protection_sends_what_the_official_provider_sends(engine: Engine, instance: Instance) -> None:
    before = len(instance.operations())
    engine.create(
        "BranchProtection", {"project": P, "branch": "prod", "allowedToPushes": [{"accessLevel": "maintainer"}]}
    )
    assert instance.operations()[before:] == [
        ("gitlab.Metadata.get", 200),  # the check
        ("gitlab.Metadata.get", 200),
        ("gitlab.ProtectedBranches.get", 404),
        ("gitlab.ProtectedBranches.create", 201),
    ]
    with pytest.raises(
        PluginError, match="BranchProtection name: /projects/acme%2Fapp/protected_branches/prod already exists"
    ):
        engine.create("BranchProtection", {"project": P, "branch": "prod"})


@pytest.mark.parametrize(
    ("enterprise", "inputs", "property_", "reason"),
    [
        (True, {"pushAccessLevel": "maintainer"}, "pushAccessLevel", "Use allowed_to_push instead"),
        (True, {"mergeAccessLevel": "maintainer"}, "mergeAccessLevel", "Use allowed_to_merge instead"),
        (False, {"allowedToPushes": [{"accessLevel": "maintainer"}]}, "allowedToPushes", "Use pushAccessLevel instead"),
        (False, {"codeOwnerApprovalRequired": True}, "codeOwnerApprovalRequired", "Enterprise Edition"),
    ],
)
def test_each_edition_refuses_the_others_inputs(
    start: Callable[..., Instance],
    engine_of: Callable[..., Engine],
    enterprise: bool,
    inputs: dict[str, Any],
    property_: str,
    reason: str,
) -> None:
    engine = engine_of(start(enterprise=enterprise))
    failures = engine.check("BranchProtection", {"project": P, "branch": "prod"} | inputs).failures or []
    assert [f.property for f in failures] == [property_]
    assert reason in failures[0].reason


def test_a_refusal_names_resource_request_and_reason_but_no_token(engine: Engine, instance: Instance) -> None:
    with pytest.raises(PluginError) as refused:
        engine.create("ProjectVariable", {"project": P, "key": "K", "value": "short", "masked": True})
    assert (
        str(refused.value) == "ProjectVariable name: POST /projects/acme%2Fapp/variables: 400 {'value': ['is invalid']}"
    )
    set_enterprise(instance.store, False)
    inputs = {"project": P, "environment": "prod", "deployAccessLevelsAttributes": [{"accessLevel": "maintainer"}]}
    with pytest.raises(PluginError, match="404"):
        engine.create("ProjectProtectedEnvironment", inputs)


def test_an_environment_that_is_not_stopped_says_so(engine: Engine) -> None:
    made = engine.create("ProjectEnvironment", {"project": P, "name": "prod"})
    with pytest.raises(PluginError, match=r"DELETE /projects/acme%2Fapp/environments/1: 403 403 Forbidden"):
        engine.delete("ProjectEnvironment", made.resource_id, made.properties)


def test_a_refused_token_is_seen_at_once(start: Callable[..., Instance], engine_of: Callable[..., Engine]) -> None:
    with pytest.raises(PluginError) as refused:
        engine_of(start(), token="glpat-wrong")
    assert str(refused.value) == "gitlab: the token was refused: GET /user: 401 401 Unauthorized"


def test_without_a_token_or_a_configuration_there_is_a_plain_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITLAB_TOKEN", raising=False)
    provider = GitLabProvider()
    with pytest.raises(PluginError, match="set gitlab:token or GITLAB_TOKEN"):
        asyncio.run(provider.configure(api.ConfigureRequest({}, {}, True, True)))
    unknown = api.ConfigureRequest({}, {"token": wrapped(UNKNOWN)}, True, True)
    assert asyncio.run(provider.configure(unknown)).supports_preview
    with pytest.raises(PluginError, match="not configured"):
        asyncio.run(provider.invoke(api.InvokeRequest("gitlab:index/getUser:getUser", {})))
    with pytest.raises(PluginError, match="no resource gitlab:index/x:X"):
        asyncio.run(provider.check(api.CheckRequest("urn:pulumi:s::p::gitlab:index/x:X::n", {}, {}, b"")))


def test_the_provider_keeps_its_token_secret(engine: Engine) -> None:
    checked = asyncio.run(engine.provider.check_config(api.CheckRequest("", {}, wrapped_map({"token": "t"}), b"")))
    assert (checked.inputs or {})["token"].is_secret
    assert engine.configured.accept_secrets
    assert "ProjectVariable" in (asyncio.run(engine.provider.get_schema(api.GetSchemaRequest(0))).schema or "")


def test_lookups(engine: Engine, instance: Instance) -> None:
    by_path = engine.invoke("getProject", {"pathWithNamespace": P})
    assert by_path == engine.invoke("getProject", {"id": str(instance.account.project_id)})
    assert (by_path["id"], by_path["defaultBranch"], by_path["namespaceId"]) == ("1", "main", instance.account.group_id)
    assert by_path["namespaces"][0]["fullPath"] == "acme"
    alice = engine.invoke("getUser", {"username": "alice"})
    assert alice == engine.invoke("getUser", {"userId": instance.account.alice_id})
    assert (alice["id"], alice["userId"]) == ("2", 2)
    assert engine.invoke("getUser", {"email": "bob@noreply.example.com"})["username"] == "bob"
    for name, args in (
        ("getProject", {"id": "no/where"}),
        ("getUser", {"username": "x"}),
        ("getUser", {}),
        ("getProject", {}),
    ):
        with pytest.raises(PluginError, match=name):
            engine.invoke(name, args)


def test_transient_failures_are_retried_and_a_creation_is_not(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    real, sent = RequestsBackend.http_request, []

    def flaky(self: Any, method: Any, url: Any, **more: Any) -> Any:
        sent.append(method)
        if len(sent) == 1:
            return real(self, method, url.replace("/api/v4/", "/api/v4/nowhere/"), **more)  # the stand-in answers 501
        return real(self, method, url, **more)

    monkeypatch.setattr(RequestsBackend, "http_request", flaky)
    monkeypatch.setattr("gitlab.const.RETRYABLE_TRANSIENT_ERROR_CODES", [501])
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    assert engine.invoke("getUser", {"username": "bob"})["username"] == "bob"
    assert sent == ["get", "get"]
    sent.clear()
    with pytest.raises(RequestError):
        asyncio.run(engine.provider._connected().request("post", "user/runners", body={"runner_type": "instance_type"}))
    assert sent == ["post"]
