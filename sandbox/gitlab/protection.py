"""The access level lists that protected branches, tags and environments have in common.

Owns what an item is (`{id, access_level, access_level_description, user_id, group_id}`) and how a list of changes is applied
(`{id, _destroy}` removes, `{id, …}` changes, an item without an id adds).
"""

from collections.abc import Iterable
from typing import Any

from sandbox.gitlab.common import GROUPS, LEVEL_TEXTS, USERS, bad_parameter, no_record, premium, unprocessable
from sandbox.store import Record, Store

_EXTRA = ("group_inheritance_type", "required_approvals", "deploy_key_id")


def level_item(level: int) -> Record:
    return {"access_level": level}


def _described(store: Store, item: Record) -> Record:
    """The item as the API shows it; exactly one of user, group, deploy key or level says who is meant."""
    named = [k for k in ("user_id", "group_id", "access_level", "deploy_key_id") if item.get(k) is not None]
    if len(named) > 1 and set(named) - {"access_level"} == set(named):
        bad_parameter(f"{', '.join(named)} are mutually exclusive")
    if {"user_id", "group_id"} & set(named) and not premium(store):
        unprocessable("Users and groups must be blank")  # a paid feature
    level, text = item.get("access_level"), ""
    if item.get("user_id") is not None:
        user = store.get(USERS, item["user_id"])
        if user is None:
            unprocessable("Cannot add users or groups unless they have access to the project")
        level, text = 40, user["name"]
    elif item.get("group_id") is not None:
        group = store.get(GROUPS, item["group_id"])
        if group is None:
            unprocessable("Cannot add users or groups unless they have access to the project")
        level, text = 40, group["name"]
    elif item.get("deploy_key_id") is not None:
        level, text = 40, "Deploy key"
    elif level in LEVEL_TEXTS:
        text = LEVEL_TEXTS[level]
    else:
        bad_parameter("access_level does not have a valid value")
    shown = {
        "id": item["id"],
        "access_level": level,
        "access_level_description": text,
        "user_id": item.get("user_id"),
        "group_id": item.get("group_id"),
    }
    return shown | {k: item[k] for k in _EXTRA if item.get(k) is not None}


def changed(store: Store, have: Iterable[Record], asked: Any) -> list[Record]:
    """The list after the asked changes."""
    items = {int(i["id"]): i for i in have}
    if not isinstance(asked, list):
        bad_parameter("the access levels are invalid")
    for change in asked:
        number = change.get("id")
        if number is not None and int(number) not in items:
            no_record()
        if number is not None and change.get("_destroy"):
            del items[int(number)]
        elif number is not None:
            kept = {k: v for k, v in items[int(number)].items() if k in _EXTRA}
            items[int(number)] = _described(store, kept | change)
        else:
            new_id = store.next_id("gitlab.access_level")
            items[new_id] = _described(store, change | {"id": new_id})
    return list(items.values())
