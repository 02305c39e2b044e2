"""Protected branches: history stays, and changes come by merge request."""

from collections.abc import Iterator

from .base import UNKNOWN, Properties, ResourceRule, at, items, named, problem


def stay_protected(props: Properties) -> Iterator[str]:
    """Missing: no force push, and maintainers push, as GitLab has it. Enterprise and Community name levels differently."""
    branch = named("branch", props.get("branch"))
    if props.get("allowForcePush") not in (None, False, UNKNOWN):
        yield problem(
            f"{branch} may be force-pushed",
            "allowForcePush must be false",
            "reviewed history can be replaced, and a job with the key runs what came instead",
            "set allowForcePush=False",
        )
    levels = [props.get("pushAccessLevel"), *(at(each, "accessLevel") for each in items(props, "allowedToPushes"))]
    if "developer" in levels:
        yield problem(
            f"developers may push to {branch}",
            "a push past a merge request is for maintainers or no one",
            "an unreviewed change runs with the environment's key",
            'set the push access level to "no one" or "maintainer"',
        )


RULES = (
    ResourceRule(
        name="branches-stay-protected",
        description="Protected branches take no force push, and no push from developers.",
        types=("gitlab:index/branchProtection:BranchProtection",),
        check=stay_protected,
    ),
)
