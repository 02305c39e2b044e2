"""The file that `pulumi import` reads: which things the state shall take as which resources. Pure.

Source: Pulumi, "Importing resources", bulk import operations.
"""

import re
from collections.abc import Collection, Iterable
from typing import Any

from repair.findings import Adoption
from repair.resources import Resource

# A default provider's name holds its version, and where its plugin comes from unless from Pulumi's own.
_DEFAULT_PROVIDER = re.compile(r"default_(\d+)_(\d+)_(\d+)(?:_(github)_(/.*))?")


def import_file(
    adoptions: Iterable[Adoption], resources: Collection[Resource], urns: Collection[str]
) -> dict[str, Any]:
    """`resources` are all that are declared; `urns` those that the state holds, of which no parent is made anew."""
    by_urn = {r.urn: r for r in resources}
    names: dict[str, str] = {}
    entries: dict[str, dict[str, Any]] = {}

    def parent_of(resource: Resource) -> dict[str, str]:
        """The parent by a name of its own; the components above that the state lacks come into the file as well."""
        parent = resource.parent
        if not parent or parent.split("::")[2] == "pulumi:pulumi:Stack":
            return {}
        if parent not in urns and parent not in entries:
            component = by_urn[parent]
            entries[parent] = {
                "type": component.type,
                "name": component.name,
                "component": True,
                **parent_of(component),
            }
        names.setdefault(parent, _name_in_file(parent))
        return {"parent": names[parent]}

    for adoption in adoptions:
        resource = adoption.resource
        above = parent_of(resource)
        provider, _, _ = resource.provider.rpartition("::")
        if provider in urns:
            names.setdefault(provider, _name_in_file(provider))
            through: dict[str, str] = {"provider": names[provider]}
        else:
            through = _version_of(provider)
        entries[resource.urn] = {
            "type": resource.type,
            "name": resource.name,
            "id": adoption.found.id,
            **above,
            **through,
        }
    in_state = {name: urn for urn, name in names.items() if urn in urns}
    return {"nameTable": in_state, "resources": list(entries.values())}


def _name_in_file(urn: str) -> str:
    return urn.rpartition("::")[2]


def _version_of(provider: str) -> dict[str, str]:
    found = _DEFAULT_PROVIDER.fullmatch(provider.rpartition("::")[2])
    if found is None:
        return {}
    version = {"version": ".".join(found.group(1, 2, 3))}
    return version | ({"pluginDownloadUrl": f"{found[4]}:/{found[5]}"} if found[4] else {})
