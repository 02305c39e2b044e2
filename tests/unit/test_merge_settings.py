"""How a GitLab project merges: right, one setting changed, the exact words."""

from typing import Any

import pulumi_gitlab as gitlab
import pytest

from components.merge_settings import RULES, advice, gitlab_api, wrong_merge_settings

API = "https://gitlab.com/api/v4/"
RIGHT: dict[str, Any] = {
    "only_allow_merge_if_pipeline_succeeds": True,
    "merge_method": "merge",
    "squash_option": "default_off",
    "remove_source_branch_after_merge": False,
}


def told(changed: dict[str, Any]) -> str | None:
    return advice("acme/app", "42", RIGHT | changed, API)


@pytest.mark.parametrize("changed", [{}, {"squash_option": "never"}])
def test_a_project_that_merges_as_it_should_is_told_nothing(changed: dict[str, Any]) -> None:
    assert told(changed) is None


@pytest.mark.parametrize("setting", RIGHT)
def test_what_gitlab_does_not_tell_breaks_no_rule(setting: str) -> None:
    assert told({setting: None}) is None
    assert told({setting: ""}) is None
    assert list(wrong_merge_settings({})) == []


@pytest.mark.parametrize(
    ("setting", "value", "shown", "must", "right"),
    [
        ("only_allow_merge_if_pipeline_succeeds", False, "false", "true", "true"),
        ("merge_method", "rebase_merge", "rebase_merge", "merge", "merge"),
        ("merge_method", "ff", "ff", "merge", "merge"),
        ("squash_option", "always", "always", "default_off or never", "default_off"),
        ("squash_option", "default_on", "default_on", "default_off or never", "default_off"),
        ("remove_source_branch_after_merge", True, "true", "false", "false"),
    ],
)
def test_what_is_wrong_is_told_with_the_request_that_mends_it(
    setting: str, value: Any, shown: str, must: str, right: str
) -> None:
    (consequence,) = [rule.consequence for rule in RULES if rule.setting == setting]
    assert told({setting: value}) == (
        "GitLab project acme/app does not merge as promotions need it; nothing else depends on that.\n"
        f"  {setting} = {shown}: must be {must}, or {consequence}.\n"
        """  Fix: printf 'PRIVATE-TOKEN: %s' "$GITLAB_TOKEN" | """
        f"""curl --request PUT --header @- '{API}projects/42?{setting}={right}'\n"""
        "  (or in GitLab, Settings > Merge requests, as a maintainer of the project)"
    )


def test_all_that_is_wrong_is_told_at_once_with_one_request() -> None:
    text = told({"merge_method": "ff", "remove_source_branch_after_merge": True})
    assert text is not None
    assert len(text.splitlines()) == 5
    assert "/projects/42?merge_method=merge&remove_source_branch_after_merge=false'" in text


def test_each_rule_is_of_a_setting_that_the_provider_tells() -> None:
    assert {rule.setting for rule in RULES} == set(RIGHT)
    for setting in RIGHT:
        assert isinstance(getattr(gitlab.GetProjectResult, setting), property), setting


def test_the_request_goes_where_the_provider_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITLAB_BASE_URL", raising=False)
    assert gitlab_api("https://gitlab.com/") == API
    monkeypatch.setenv("GITLAB_BASE_URL", "http://127.0.0.1:8080/api/v4/")
    assert gitlab_api("https://gitlab.com/") == "http://127.0.0.1:8080/api/v4/"
