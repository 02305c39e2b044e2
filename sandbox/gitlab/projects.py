"""Projects and groups of the GitLab stand-in: the seed makes them; the API reads them, and changes how a project merges."""

from sandbox.gitlab.common import (
    DEVELOPER,
    GROUPS,
    MAINTAINER,
    MEMBERS,
    PROJECTS,
    access_level,
    caller,
    enterprise_only,
    flag,
    group_of,
    not_found,
    one_of,
    paged,
    params,
    project_of,
    with_web_url,
)
from sandbox.store import Record, Store
from sandbox.web import Call, Reply, Routes

_MERGE_CHOICES = {
    "merge_method": ("merge", "rebase_merge", "ff"),
    "squash_option": ("never", "always", "default_on", "default_off"),
}

routes = Routes()


def add_group(store: Store, path: str) -> Record:
    number = store.next_id("gitlab.namespace")
    return store.put(
        GROUPS,
        number,
        {
            "id": number,
            "name": path,
            "path": path,
            "full_name": path,
            "full_path": path,
            "description": "",
            "visibility": "private",
            "parent_id": None,
            "avatar_url": None,
            "created_at": "2026-01-01T00:00:00.000Z",
            "web_url": f"/groups/{path}",
        },
    )


def add_project(store: Store, group: Record, path: str, default_branch: str) -> Record:
    number = store.next_id("gitlab.project")
    full = f"{group['full_path']}/{path}"
    namespace = {k: group[k] for k in ("id", "name", "path", "full_path", "parent_id", "avatar_url", "web_url")}
    return store.put(
        PROJECTS,
        number,
        {
            "id": number,
            "description": None,
            "name": path,
            "name_with_namespace": f"{group['name']} / {path}",
            "path": path,
            "path_with_namespace": full,
            "created_at": "2026-01-01T00:00:00.000Z",
            "last_activity_at": "2026-01-01T00:00:00.000Z",
            "default_branch": default_branch,
            "topics": [],
            "tag_list": [],
            "ssh_url_to_repo": f"git@gitlab.example.com:{full}.git",
            "http_url_to_repo": f"https://gitlab.example.com/{full}.git",
            "web_url": f"/{full}",
            "readme_url": None,
            "avatar_url": None,
            "forks_count": 0,
            "star_count": 0,
            "open_issues_count": 0,
            "namespace": namespace | {"kind": "group"},
            "visibility": "private",
            "archived": False,
            "empty_repo": False,
            "creator_id": 1,
            "merge_method": "merge",
            "squash_option": "default_off",
            "shared_runners_enabled": True,
            "group_runners_enabled": True,
            "builds_access_level": "enabled",
            "merge_requests_access_level": "enabled",
            "environments_access_level": "enabled",
            "only_allow_merge_if_pipeline_succeeds": True,
            "remove_source_branch_after_merge": False,
            "request_access_enabled": True,
            "public_jobs": True,
            "ci_config_path": "",
            "ci_default_git_depth": 20,
            "build_timeout": 3600,
            "shared_with_groups": [],
        },
    )


def _shown(call: Call, project: Record) -> Record:
    return with_web_url(call, project) | {"namespace": with_web_url(call, project["namespace"])}


def _with_access(call: Call, project: Record) -> Record:
    """The project with the caller's own memberships: an administrator needs none."""

    def membership(source: str) -> Record | None:
        found = next(iter(call.store.all(MEMBERS, user_id=caller(call).id, source=source)), None)
        return found and {"access_level": found["access_level"], "notification_level": 3}

    sources = {"project_access": f"project:{project['id']}", "group_access": f"group:{project['namespace']['id']}"}
    return _shown(call, project) | {"permissions": {name: membership(source) for name, source in sources.items()}}


@routes.get("/api/v4/projects", "gitlab.Projects.list")
def list_projects(call: Call) -> Reply:
    who = caller(call)
    wanted = str(params(call).get("search", "")).lower()
    seen = [p for p in call.store.all(PROJECTS) if access_level(call.store, who, p) and wanted in p["name"].lower()]
    return paged(call, [_with_access(call, p) for p in seen])


@routes.get("/api/v4/projects/<id>", "gitlab.Projects.get")
def get_project(call: Call) -> Record:
    return _with_access(call, project_of(call))


@routes.put("/api/v4/projects/<id>", "gitlab.Projects.update")
def update_project(call: Call) -> Record:
    """How the project merges; anything else that is given is left as it is."""
    project, given = project_of(call, MAINTAINER), params(call)
    for name in ("only_allow_merge_if_pipeline_succeeds", "remove_source_branch_after_merge"):
        project[name] = flag(given, name, project[name])
    for name, choices in _MERGE_CHOICES.items():
        project[name] = one_of(given, name, choices, project[name])
    return _shown(call, call.store.put(PROJECTS, project["id"], project))


@routes.get("/api/v4/projects/<id>/push_rule", "gitlab.ProjectPushRules.get")
def get_push_rule(call: Call) -> None:
    """The project never has push rules; the route is there because the official provider asks for them."""
    project_of(call, DEVELOPER)
    enterprise_only(call)
    not_found("Push Rule")


@routes.get("/api/v4/groups/<id>", "gitlab.Groups.get")
def get_group(call: Call) -> Record:
    return with_web_url(call, group_of(call))
