"""What each kind of GitLab has, at the stand-in and through the plugin.

A Community Edition, an Enterprise Edition without a licence (GitLab.com's Free tier), and one with it.
"""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.gitlab import set_enterprise
from sandbox.gitlab_plugin.errors import PluginError
from sandbox.gitlab_plugin.values import plain_map
from tests.sandbox.gitlab.conftest import Engine, Instance
from tests.sandbox.gitlab.lives import P

COMMUNITY, FREE, PREMIUM = "community", "free", "premium"
KINDS = (COMMUNITY, FREE, PREMIUM)
Start = Callable[[str], Instance]
RULE = {"name": "prod", "deploy_access_levels": [{"access_level": 40}]}


@pytest.fixture
def kind_of(start: Callable[..., Instance]) -> Start:
    def make(kind: str) -> Instance:
        instance = start(enterprise=kind != COMMUNITY)
        set_enterprise(instance.store, kind != COMMUNITY, premium=kind == PREMIUM)
        return instance

    return make


def _post(instance: Instance, path: str, **body: Any) -> Any:
    answer = instance.call("POST", instance.project(path), json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


# --- the stand-in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_metadata_tell_the_distribution_and_not_the_licence(kind_of: Start, kind: str) -> None:
    instance = kind_of(kind)
    metadata = instance.call("GET", "metadata").json()
    assert metadata["enterprise"] is (kind != COMMUNITY)
    assert metadata["version"].endswith("-ee") is metadata["enterprise"]
    assert {k: metadata[k] for k in ("version", "revision")} == instance.call("GET", "version").json()


@pytest.mark.parametrize("kind", KINDS)
def test_a_branchs_levels(kind_of: Start, kind: str) -> None:
    """A Community Edition takes the one level and overlooks a list; an Enterprise Edition takes both."""
    instance = kind_of(kind)
    rule = _post(
        instance, "protected_branches", name="a", allowed_to_push=[{"access_level": 30}], merge_access_level=60
    )
    assert [level["access_level"] for level in rule["push_access_levels"]] == [40 if kind == COMMUNITY else 30]
    assert [level["access_level"] for level in rule["merge_access_levels"]] == [60]
    paid = {"code_owner_approval_required", "inherited", "unprotect_access_levels"}
    assert paid & set(rule) == (set() if kind == COMMUNITY else paid)
    people = {"user_id", "group_id"} & set(rule["push_access_levels"][0])
    assert people == (set() if kind == COMMUNITY else {"user_id", "group_id"})
    branch = instance.call("GET", instance.project("repository/branches/main")).json()
    assert (branch["developers_can_push"], branch["developers_can_merge"]) == (False, False)
    _post(instance, "protected_branches", name="m*", push_access_level=40, merge_access_level=30)
    branch = instance.call("GET", instance.project("repository/branches/main")).json()
    assert (branch["developers_can_push"], branch["developers_can_merge"]) == (False, True)


@pytest.mark.parametrize(
    ("path", "key", "named"),
    [
        ("protected_branches", "allowed_to_merge", {"user_id": 2}),
        ("protected_branches", "allowed_to_push", {"group_id": 1}),
        ("protected_tags", "allowed_to_create", {"user_id": 2}),
    ],
)
def test_a_person_or_a_group_is_named_with_a_licence_only(kind_of: Start, path: str, key: str, named: Any) -> None:
    statuses = {}
    for kind in KINDS:
        instance = kind_of(kind)
        answer = instance.call("POST", instance.project(path), json={"name": "x", key: [named]})
        statuses[kind] = answer.status_code
        if kind == COMMUNITY:
            (levels,) = [v for k, v in answer.json().items() if k == f"{key.removeprefix('allowed_to_')}_access_levels"]
            assert [level["access_level_description"] for level in levels] == ["Maintainers"]
    assert statuses == {COMMUNITY: 201, FREE: 422, PREMIUM: 201}, "a Community Edition overlooks the list"


def test_protected_environments_are_there_with_a_licence_only(kind_of: Start) -> None:
    refused = {COMMUNITY: (404, {"error": "404 Not Found"}), FREE: (403, {"message": "403 Forbidden"})}
    for kind, (status, body) in refused.items():
        instance = kind_of(kind)
        for method, path in (("GET", ""), ("POST", ""), ("GET", "/prod"), ("PUT", "/prod"), ("DELETE", "/prod")):
            answer = instance.call(method, instance.project(f"protected_environments{path}"), json=RULE)
            assert (answer.status_code, answer.json()) == (status, body)
    assert _post(kind_of(PREMIUM), "protected_environments", **RULE)["name"] == "prod"


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_licence_adds_is_left_out_without_a_word(kind_of: Start, kind: str) -> None:
    instance, paid = kind_of(kind), kind == PREMIUM
    variable = {"key": "K", "value": "v", "environment_scope": "dev"}
    made = instance.call("POST", "groups/acme/variables", json=variable).json()
    assert made["environment_scope"] == ("dev" if paid else "*")
    assert _post(instance, "variables", **variable)["environment_scope"] == "dev", "of a project it is free"
    people = [instance.account.alice_id, instance.account.bob_id]
    request = _post(
        instance, "merge_requests", source_branch="main", target_branch="prod", title="t", reviewer_ids=people
    )
    assert [each["id"] for each in request["reviewers"]] == (people if paid else people[:1])


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_has_push_rules_here(kind_of: Start, kind: str) -> None:
    answer = kind_of(kind).call("GET", "projects/acme%2Fapp/push_rule")
    words = {"error": "404 Not Found"} if kind == COMMUNITY else {"message": "404 Push Rule Not Found"}
    assert (answer.status_code, answer.json()) == (404, words)


# --- the plugin -------------------------------------------------------------------------------------------------------

LISTS = {"allowedToPushes": [{"accessLevel": "no one"}], "allowedToMerges": [{"accessLevel": "developer"}]}
SINGLE = {"pushAccessLevel": "no one", "mergeAccessLevel": "developer"}
BRANCH = {"project": P, "branch": "prod"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_plugin_protects_a_branch_in_the_words_of_its_kind(
    kind_of: Start, engine_of: Callable[..., Engine], kind: str
) -> None:
    instance = kind_of(kind)
    engine = engine_of(instance)
    right, wrong = (SINGLE, LISTS) if kind == COMMUNITY else (LISTS, SINGLE)
    refused = engine.check("BranchProtection", BRANCH | wrong).failures or []
    assert {f.property for f in refused} == set(wrong)
    made = engine.create("BranchProtection", BRANCH | right)
    rule = instance.call("GET", instance.project("protected_branches/prod")).json()
    levels = [[level["access_level"] for level in rule[f"{what}_access_levels"]] for what in ("push", "merge")]
    assert levels == [[0], [30]]
    state = plain_map(made.properties)
    assert (state["pushAccessLevel"], state["mergeAccessLevel"]) == ("no one", "developer")
    assert [level["accessLevel"] for level in state["allowedToMerges"]] == ["developer"]
    seen = engine.read("BranchProtection", made.resource_id, made.properties, BRANCH | right)
    assert plain_map(seen.inputs or {}) == BRANCH | right
    assert engine.diff("BranchProtection", seen.properties, BRANCH | right).changes is False


def test_an_import_is_written_down_in_the_words_of_the_kind(kind_of: Start, engine_of: Callable[..., Engine]) -> None:
    for kind in KINDS:
        instance = kind_of(kind)
        _post(instance, "protected_branches", name="prod", push_access_level=0, merge_access_level=30)
        inputs = plain_map(engine_of(instance).read("BranchProtection", f"{P}:prod").inputs or {})
        assert inputs == BRANCH | (SINGLE if kind == COMMUNITY else LISTS)


def test_a_licence_that_is_not_there_is_said_by_gitlab(kind_of: Start, engine_of: Callable[..., Engine]) -> None:
    """The plugin knows the distribution and not the licence; so the request is sent, and its refusal told."""
    engine = engine_of(kind_of(FREE))
    levels = [{"accessLevel": "maintainer"}]
    environment = {"project": P, "environment": "prod", "deployAccessLevelsAttributes": levels}
    with pytest.raises(PluginError, match=r"POST /projects/acme%2Fapp/protected_environments: 403 403 Forbidden"):
        engine.create("ProjectProtectedEnvironment", environment)
    with pytest.raises(PluginError, match=r"POST /projects/acme%2Fapp/protected_branches: 422"):
        engine.create("BranchProtection", BRANCH | {"allowedToMerges": [{"userId": 2}]})
    with pytest.raises(PluginError, match=r"POST /projects/acme%2Fapp/protected_tags: 422"):
        engine.create("TagProtection", {"project": P, "tag": "v*", "allowedToCreates": [{"userId": 2}]})
    assert engine.create("TagProtection", {"project": P, "tag": "v*"}).resource_id == f"{P}:v*"


def test_an_instance_that_changes_its_kind_asks_for_other_words(instance: Instance, engine: Engine) -> None:
    made = engine.create("BranchProtection", BRANCH | LISTS)
    set_enterprise(instance.store, False)
    failures = engine.check("BranchProtection", BRANCH | LISTS, plain_map(made.properties)).failures or []
    assert {f.property for f in failures} == set(LISTS)
    assert engine.diff("BranchProtection", made.properties, BRANCH | SINGLE).changes is False, "it means the same"
    set_enterprise(instance.store, True)
    assert not engine.check("BranchProtection", BRANCH | LISTS).failures
