"""Creating, reading, changing and deleting a resource of the table in GitLab.

Owns the order of requests: what is looked up first (the edition, a protection that is already there), how a token rotates,
that an environment stops before it goes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sandbox.gitlab_plugin import mapping
from sandbox.gitlab_plugin.client import Client, RequestError
from sandbox.gitlab_plugin.diffs import Diff
from sandbox.gitlab_plugin.errors import PluginError
from sandbox.gitlab_plugin.fields import Kind, Resource
from sandbox.gitlab_plugin.mapping import State


@dataclass(frozen=True)
class Operations:
    """One resource type's operations. Raises PluginError."""

    client: Client
    resource: Resource

    async def edition(self) -> str | None:
        """Which edition the instance is, for the resources that differ by it."""
        if "edition" not in self.resource.flags:
            return None
        return "enterprise" if await self.client.enterprise() else "community"

    async def create(self, inputs: Mapping[str, Any], today: date) -> State:
        wanted = mapping.with_defaults(self.resource, inputs)
        edition = await self.edition()
        if "must_not_exist" in self.resource.flags:
            existing = mapping.item(self.resource, wanted)
            if await self.client.find(existing) is not None:
                raise PluginError(f"/{existing} already exists: import it, or remove it first")
        body = mapping.body(self.resource, wanted, edition=edition, create=True)
        expiry = _planned_expiry(wanted, today)
        if expiry:
            body["expires_at"] = expiry
        path = mapping.collection(self.resource, wanted, create=True)
        answer = await self.client.request("post", path, body=body)
        if self.resource.create_path:  # its answer has only the id and the token
            number = answer["id"]
            answer = await self.client.request("get", f"{self.resource.path}/{number}") | answer
        return mapping.state_of(self.resource, wanted, answer)

    async def read(self, known: Mapping[str, Any]) -> State | None:
        """The resource as GitLab has it now, or None when it is gone. `known` holds at least what the id says."""
        if "in_parent" in self.resource.flags:
            parent = mapping.collection(self.resource, known).rpartition("/")[0]
            found = await self.client.find(parent)
            name = mapping.item_name(self.resource, known)
            answer = next((v for v in (found or {}).get("variables", []) if v[self.resource.key] == name), None)
        else:
            path, query = mapping.item(self.resource, known), mapping.query(self.resource, known)
            answer = await self.client.find(path, query=query)
        if answer is None or ("active_only" in self.resource.flags and not answer["active"]):
            return None  # an expired or revoked token cannot be mended, only made anew
        return mapping.state_of(self.resource, known, answer)

    async def update(self, state: Mapping[str, Any], inputs: Mapping[str, Any], diff: Diff, today: date) -> State:
        wanted = mapping.with_defaults(self.resource, inputs)
        known = mapping.after(self.resource, state, inputs, diff)
        if "rotates" in self.resource.flags:
            return await self._rotate(known, wanted, today) if diff.rotates else known
        item = mapping.item(self.resource, known)
        if known.get("takeOwnership") and "take_ownership" in self.resource.flags:
            await self.client.request("post", f"{item}/take_ownership")
        edition = await self.edition()
        body = mapping.body(self.resource, wanted, edition=edition, create=False)
        for field in self.resource.inputs:
            if field.api is None or field.kind not in (Kind.LEVELS, Kind.OBJECTS):
                continue
            body.pop(field.api, None)
            if field.name in diff.changed:
                body[field.api] = await self._item_changes(field.name, known, wanted.get(field.name) or [])
        for name in diff.changed:  # what is not wanted any more is said to be empty
            cleared = self.resource.input(name)
            if cleared and cleared.api and cleared.api not in body and name not in wanted and not cleared.create_only:
                body[cleared.api] = None
        query = mapping.query(self.resource, known)
        answer = await self.client.request(self.resource.update or "put", item, query=query, body=body)
        return mapping.state_of(self.resource, known, answer)

    async def _item_changes(self, name: str, known: State, wanted: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The changes of one list, worked out against what GitLab has now (the state does not hold every id)."""
        field = self.resource.input(name)
        assert field is not None
        current = await self.client.request("get", mapping.item(self.resource, known))
        items = current.get(field.answer or field.api) or []
        if field.kind is Kind.LEVELS:
            return mapping.level_changes(field, items, wanted)
        names = {entry["name"] for entry in wanted}
        gone = [{"name": i["name"], "destroy": True} for i in items if i["name"] not in names]
        return [dict(entry) for entry in wanted] + gone

    async def _rotate(self, known: State, wanted: Mapping[str, Any], today: date) -> State:
        body = {"expires_at": _planned_expiry(wanted, today) or wanted.get("expiresAt")}
        path = f"{mapping.item(self.resource, known)}/rotate"
        answer = await self.client.request("post", path, body={k: v for k, v in body.items() if v})
        return mapping.state_of(self.resource, known, answer)

    async def delete(self, state: Mapping[str, Any]) -> None:
        """Nothing happens when it is gone already."""
        item, query = mapping.item(self.resource, state), mapping.query(self.resource, state)
        try:
            if "stop_first" in self.resource.flags and state.get("stopBeforeDestroy"):
                force = state.get("autoStopSetting") == "with_action"
                await self.client.request("post", f"{item}/stop", body={"force": True} if force else None)
            await self.client.request("delete", item, query=query)
        except RequestError as failure:
            if failure.status != 404:
                raise


def _planned_expiry(wanted: Mapping[str, Any], today: date) -> str | None:
    rotation = wanted.get("rotationConfiguration")
    return (today + timedelta(days=int(rotation["expirationDays"]))).isoformat() if rotation else None
