"""What a GitLab project of the sandbox holds for an environment."""

from typing import Any

from sandbox.gitlab.branches import PROTECTED_BRANCHES
from sandbox.gitlab.common import PROJECTS
from sandbox.gitlab.environments import ENVIRONMENTS
from sandbox.gitlab.runners import RUNNERS
from sandbox.gitlab.variables import VARIABLES
from tests.engine.estate import Estate

APP, PLATFORM = "acme/app", "acme/platform"


def of_project(estate: Estate, path: str, scope: str) -> dict[str, Any]:
    """What GitLab's project holds for an environment."""
    (project,) = [p["id"] for p in estate.records(PROJECTS) if p["path_with_namespace"] == path]
    branch = {"dev": "main"}.get(scope, scope)
    variables = [v for v in estate.records(VARIABLES) if v["environment_scope"] == scope]
    return {
        "branches": [b["name"] for b in estate.records(PROTECTED_BRANCHES) if b["project_id"] == project].count(branch),
        "environments": [e["name"] for e in estate.records(ENVIRONMENTS) if e["project_id"] == project].count(scope),
        "variables": sorted(v["key"] for v in variables if v["owner"] == f"project:{project}"),
        "tags": sorted(
            tag
            for runner in estate.records(RUNNERS)
            for tag in runner["tag_list"]
            if runner["project_id"] == project and tag.startswith(f"k8s-{scope}-")
        ),
    }
