"""The plugin's functions (invokes): what a program may look up in GitLab. Reads only."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

from sandbox.gitlab_plugin.client import Client
from sandbox.gitlab_plugin.errors import PluginError

Function = Callable[[Client, Mapping[str, Any]], Awaitable[dict[str, Any]]]

_NESTED = {
    "namespace": "namespaces",
    "topics": "topics",
    "tag_list": "tagLists",
    "shared_with_groups": "sharedWithGroups",
}
_ONLY_IN_ANSWERS = ("bot", "locked", "web_url")  # of a user, and no property of the function's result


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


async def get_project(client: Client, given: Mapping[str, Any]) -> dict[str, Any]:
    """By `id` (number or path) or `pathWithNamespace`."""
    wanted = given.get("id") or given.get("pathWithNamespace")
    if not wanted:
        raise PluginError("getProject: one of id and pathWithNamespace must be set")
    project = await client.find(f"projects/{quote(str(wanted), safe='')}")
    if project is None:
        raise PluginError(f"getProject: there is no project {wanted!r}, or the token may not see it")
    await client.find(f"projects/{project['id']}/push_rule")  # 404 without push rules, which this stand-in never has
    namespace = project["namespace"]
    found: dict[str, Any] = {_camel(k): v for k, v in project.items() if k not in _NESTED and v is not None}
    found |= {
        "id": str(project["id"]),
        "namespaceId": namespace["id"],
        "namespaces": [
            {
                "id": namespace["id"],
                "name": namespace["name"],
                "path": namespace["path"],
                "kind": namespace["kind"],
                "fullPath": namespace["full_path"],
            }
        ],
        "topics": project.get("topics", []),
        "tagLists": project.get("tag_list", []),
        "visibilityLevel": project.get("visibility"),
        "pushRules": [],
    }
    found.pop("permissions", None)
    return found


async def get_user(client: Client, given: Mapping[str, Any]) -> dict[str, Any]:
    """By `userId`, `username` or `email`."""
    if given.get("userId"):
        user = await client.find(f"users/{int(given['userId'])}")
    elif given.get("username"):
        user = next(iter(await client.request("get", "users", query={"username": given["username"]})), None)
    elif given.get("email"):
        matches = await client.request("get", "users", query={"search": given["email"]})
        user = next((u for u in matches if u.get("email", u.get("public_email")) == given["email"]), None)
    else:
        raise PluginError("getUser: one of userId, username and email must be set")
    if user is None:
        raise PluginError("getUser: there is no such user, or the token may not see it")
    found = {_camel(k): v for k, v in user.items() if v is not None and k not in _ONLY_IN_ANSWERS}
    return found | {"id": str(user["id"]), "userId": user["id"], "isBot": bool(user.get("bot"))}


FUNCTIONS: dict[str, Function] = {
    "gitlab:index/getProject:getProject": get_project,
    "gitlab:index/getUser:getUser": get_user,
}
