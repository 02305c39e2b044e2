"""How a GitLab project merges: what promotions from branch to branch need of it. Told, and never changed.

The project is not this program's: three stacks serve it, and one of them would have to own all of its settings. So they are
read, and what does not hold is a warning with the request that mends it. The update goes on.

Source: GitLab, "Merge methods" (semi-linear history and fast-forward refuse a source that lacks a commit of the target,
until it is rebased), "Squash and merge" (long-running branches are not to be squashed), "Edit a project" (the API's names).
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_gitlab as gitlab


@dataclass(frozen=True, kw_only=True)
class MergeRule:
    """What a setting, by its name in GitLab's API, must be: the first of `right` where it is none of them."""

    setting: str
    right: tuple[str | bool, ...]
    consequence: str


RULES = (
    MergeRule(
        setting="only_allow_merge_if_pipeline_succeeds",
        right=(True,),
        consequence="a change whose checks failed is merged and deployed",
    ),
    MergeRule(
        setting="merge_method",
        right=("merge",),
        # rebase_merge makes a commit on preprod that main lacks, so the next promotion is refused; ff does from the first
        # fix on that is made on preprod. Protected branches cannot be rebased to mend it.
        consequence="a promotion is refused as soon as its target has a commit of its own, and main cannot be rebased",
    ),
    MergeRule(
        setting="squash_option",
        right=("default_off", "never"),
        consequence="a promotion becomes a new commit, and the next one shows the same changes again, or conflicts",
    ),
    MergeRule(
        setting="remove_source_branch_after_merge",
        right=(False,),
        consequence="a promotion's merge request is set to delete the branch that it comes from",
    ),
)


def wrong_merge_settings(found: Mapping[str, Any]) -> Iterator[MergeRule]:
    """The rules that a project's settings break. One that GitLab did not tell breaks none. Pure."""
    for rule in RULES:
        if found.get(rule.setting) not in (None, "", *rule.right):
            yield rule


def advice(path: str, project: str, found: Mapping[str, Any], api: str) -> str | None:
    """The warning for the project with that id, or None where nothing is wrong. `api` is GitLab's, ending in `/`. Pure."""
    wrong = list(wrong_merge_settings(found))
    if not wrong:
        return None
    lines = [f"GitLab project {path} does not merge as promotions need it; nothing else depends on that."]
    for rule in wrong:
        right = " or ".join(map(_api_text, rule.right))
        lines.append(f"  {rule.setting} = {_api_text(found[rule.setting])}: must be {right}, or {rule.consequence}.")
    query = "&".join(f"{rule.setting}={_api_text(rule.right[0])}" for rule in wrong)
    lines.append(
        # By a pipe: what stands in a command's arguments, everybody on the machine can read.
        """  Fix: printf 'PRIVATE-TOKEN: %s' "$GITLAB_TOKEN" | """
        f"""curl --request PUT --header @- '{api}projects/{project}?{query}'"""
    )
    lines.append("  (or in GitLab, Settings > Merge requests, as a maintainer of the project)")
    return "\n".join(lines)


def warn_of_merge_settings(
    path: str, project: pulumi.Output[gitlab.GetProjectResult], url: str, resource: pulumi.Resource
) -> None:
    """One warning of the resource where a project's settings break a rule."""

    def warn(found: gitlab.GetProjectResult) -> None:
        settings = {rule.setting: getattr(found, rule.setting) for rule in RULES}
        if (text := advice(path, found.id, settings, gitlab_api(url))) is not None:
            pulumi.log.warn(text, resource)

    project.apply(warn)


def gitlab_api(url: str) -> str:
    """$GITLAB_BASE_URL, as GitLab's provider has it, else that of the instance that runners register at."""
    return os.environ.get("GITLAB_BASE_URL") or f"{url}api/v4/"


def _api_text(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else value
