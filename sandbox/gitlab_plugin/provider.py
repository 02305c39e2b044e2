"""The plugin protocol's methods over the table: configuration, check, diff, create, read, update, delete, invoke.

Owns what the engine expects of each (unknown values in previews, secrets marked, an empty id for what is gone) and that
every error names its resource.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from pulumi.provider.experimental import provider as api

from sandbox.gitlab_plugin import VERSION, checks, diffs, mapping
from sandbox.gitlab_plugin.client import Client
from sandbox.gitlab_plugin.errors import PluginError
from sandbox.gitlab_plugin.fields import Resource
from sandbox.gitlab_plugin.functions import FUNCTIONS
from sandbox.gitlab_plugin.mapping import State
from sandbox.gitlab_plugin.operations import Operations
from sandbox.gitlab_plugin.table import RESOURCES
from sandbox.gitlab_plugin.values import (
    Properties,
    is_unknown,
    plain,
    plain_map,
    secret_names,
    wrapped,
    wrapped_map,
)

_DEFAULT_URL = "https://gitlab.com/api/v4/"
_CONFIG_PREFIX = "gitlab:config:"


def _today() -> date:
    return datetime.now(UTC).date()


class GitLabProvider(api.Provider):
    """The resources of the table and the functions, on the GitLab that the configuration names."""

    def __init__(self) -> None:
        self._client: Client | None = None

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    # --- configuration ------------------------------------------------------------------------------------------------

    async def get_schema(self, request: api.GetSchemaRequest) -> api.GetSchemaResponse:  # noqa: ARG002 - the base names it
        """The least that is a schema: names only. The SDK brings the types."""
        known: dict[str, Any] = {"resources": RESOURCES, "functions": FUNCTIONS}
        names: dict[str, Any] = {kind: {token: {} for token in tokens} for kind, tokens in known.items()}
        schema = {"name": "gitlab", "version": VERSION, **names}
        return api.GetSchemaResponse(json.dumps(schema))

    async def check_config(self, request: api.CheckRequest) -> api.CheckResponse:
        inputs = dict(request.new_inputs)
        if "token" in inputs:
            inputs["token"] = inputs["token"].with_secret(True)
        return api.CheckResponse(inputs=inputs)

    async def configure(self, request: api.ConfigureRequest) -> api.ConfigureResponse:
        """Connects and asks who the token is. Unknown settings (a preview) leave the provider without a connection."""
        given = {k.removeprefix(_CONFIG_PREFIX): v for k, v in request.variables.items()}
        given |= {k: plain(v) for k, v in request.args.items()}
        base_url = given.get("baseUrl") or os.environ.get("GITLAB_BASE_URL") or _DEFAULT_URL
        token = given.get("token") or os.environ.get("GITLAB_TOKEN")
        if not (is_unknown(base_url) or is_unknown(token)):
            if not token:
                raise PluginError("gitlab: no token: set gitlab:token or GITLAB_TOKEN")
            self.close()
            self._client = Client(str(base_url), str(token))
            if str(given.get("earlyAuthCheck", "true")).lower() != "false":
                with _named("gitlab: the token was refused"):
                    await self._client.request("get", "user")
        return api.ConfigureResponse(accept_secrets=True, supports_preview=True)

    # --- resources ----------------------------------------------------------------------------------------------------

    async def check(self, request: api.CheckRequest) -> api.CheckResponse:
        resource = _resource(request.type)
        given = plain_map(request.new_inputs)
        failures = checks.failures(resource, given, _today())
        if "edition" in resource.flags and not failures and self._client is not None:
            with _named(f"{resource.label} {request.name}"):
                failures = checks.edition_failures(resource, given, await self._client.enterprise())
        inputs = {k: v for k, v in request.new_inputs.items() if k in given}
        if resource.autoname and resource.autoname not in given:
            old = request.old_inputs.get(resource.autoname)
            suffix = (request.random_seed or os.urandom(8)).hex()[:7]
            inputs[resource.autoname] = old or wrapped(f"{request.name}-{suffix}")
        return api.CheckResponse(inputs=inputs, failures=[api.CheckFailure(p, f"{p} {r}") for p, r in failures])

    async def diff(self, request: api.DiffRequest) -> api.DiffResponse:
        resource = _resource(request.type)
        found = diffs.compare(resource, plain_map(request.old_state), plain_map(request.new_inputs), _today())
        return api.DiffResponse(
            changes=bool(found),
            replaces=found.replaces,
            stables=[n for n in resource.id_parts if n != "id" and n not in found.changed],
            delete_before_replace=found.delete_first,
            diffs=found.changed,
            detailed_diff={p: _property_diff(p, kind, found) for p, kind in found.detailed.items()},
        )

    async def create(self, request: api.CreateRequest) -> api.CreateResponse:
        resource = _resource(request.type)
        inputs, secrets = plain_map(request.properties), secret_names(request.properties)
        if request.preview:
            state = mapping.preview_of(resource, mapping.with_defaults(resource, inputs))
            return api.CreateResponse("", _outputs(resource, state, secrets))
        with _named(f"{resource.label} {request.name}"):
            state = await self._operations(resource).create(inputs, _today())
        return api.CreateResponse(state["id"], _outputs(resource, state, secrets))

    async def read(self, request: api.ReadRequest) -> api.ReadResponse:
        """With no state this is an import: the id is all there is, and the inputs come from GitLab."""
        resource = _resource(request.type)
        known, inputs = plain_map(request.properties), plain_map(request.inputs)
        imported = not inputs
        with _named(f"{resource.label} {request.name}"):
            known = mapping.from_id(resource, request.resource_id) | known
            operations = self._operations(resource)
            state = await operations.read(known)
            if state is None:
                return api.ReadResponse(resource_id="")
            if imported:
                inputs = mapping.inputs_of(resource, state, await operations.edition())
            else:
                inputs = {k: _refreshed(resource, k, v, state) for k, v in inputs.items()}
        secrets = secret_names(request.properties) | secret_names(request.inputs)
        outputs = _outputs(resource, state, secrets)
        return api.ReadResponse(state["id"], outputs, wrapped_map(inputs, secrets))

    async def update(self, request: api.UpdateRequest) -> api.UpdateResponse:
        resource = _resource(request.type)
        state, inputs = plain_map(request.olds), plain_map(request.news)
        state = mapping.from_id(resource, request.resource_id) | state
        secrets = secret_names(request.news)
        diff = diffs.compare(resource, state, inputs, _today())
        if request.preview:
            planned = mapping.planned(resource, state, inputs, diff)
            return api.UpdateResponse(_outputs(resource, planned, secrets))
        with _named(f"{resource.label} {request.name}"):
            state = await self._operations(resource).update(state, inputs, diff, _today())
        return api.UpdateResponse(_outputs(resource, state, secrets))

    async def delete(self, request: api.DeleteRequest) -> None:
        resource = _resource(request.type)
        with _named(f"{resource.label} {request.name}"):
            state = mapping.from_id(resource, request.resource_id) | plain_map(request.properties)
            await self._operations(resource).delete(state)

    async def invoke(self, request: api.InvokeRequest) -> api.InvokeResponse:
        function = FUNCTIONS.get(request.tok)
        if function is None:
            raise PluginError(f"the sandbox's gitlab plugin has no function {request.tok}")
        found = await function(self._connected(), plain_map(request.args))
        return api.InvokeResponse(return_value=wrapped_map(found))

    def _connected(self) -> Client:
        if self._client is None:
            raise PluginError("gitlab: the provider is not configured (its baseUrl or token is not known yet)")
        return self._client

    def _operations(self, resource: Resource) -> Operations:
        return Operations(self._connected(), resource)


def _resource(type_: str) -> Resource:
    # A resource inside a component has its parents' types before its own: `pkg:x:Parent$gitlab:index/…`.
    resource = RESOURCES.get(type_.rpartition("$")[2])
    if resource is None:
        raise PluginError(f"the sandbox's gitlab plugin has no resource {type_}")
    return resource


@contextmanager
def _named(what: str) -> Iterator[None]:
    """Puts the resource before the message of an error."""
    try:
        yield
    except PluginError as error:
        raise PluginError(f"{what}: {error}") from None


def _outputs(resource: Resource, state: Mapping[str, Any], secrets: set[str]) -> Properties:
    return wrapped_map(state, secrets | {o.name for o in resource.outputs if o.secret})


def _refreshed(resource: Resource, name: str, old: Any, state: State) -> Any:
    """An input after a refresh: as it was while it still says the same, else what GitLab has now."""
    field = resource.input(name)
    if field is None or name not in state:
        return old
    one = diffs.compare(resource, state, {**state, name: old}, date.min)
    return state[name] if name in one.changed else old


def _property_diff(path: str, kind: str, found: diffs.Diff) -> api.PropertyDiff:
    top = path.partition("[")[0].partition(".")[0]
    suffix = "_REPLACE" if top in found.replaces else ""
    return api.PropertyDiff(api.PropertyDiffKind[kind + suffix], input_diff=False)
