"""The file for `pulumi import`."""

from repair.findings import Adoption
from repair.imports import import_file
from repair.kinds import Found
from tests.repair.things import COMPONENT, KINDS, NETWORK, PROVIDER, ROOT, VPC, resource


def _adoption(name: str) -> Adoption:
    return Adoption(resource=resource(name), kind=KINDS[VPC], found=Found(id=f"fr-par/{name}"))


def test_what_the_state_has_is_named_by_its_urn() -> None:
    file = import_file([_adoption("vpc")], [NETWORK, resource("vpc")], {ROOT, COMPONENT, PROVIDER})
    assert file["resources"] == [
        {
            "type": VPC,
            "name": "vpc",
            "id": "fr-par/vpc",
            "parent": "network",
            "provider": "default_1_56_1_github_/api.github.com/pulumiverse",
        }
    ]
    assert set(file["nameTable"].values()) == {COMPONENT, PROVIDER}


def test_what_the_state_lacks_comes_along_once() -> None:
    adoptions = [_adoption("vpc"), _adoption("other")]
    file = import_file(adoptions, [NETWORK, *(a.resource for a in adoptions)], set())
    component, *others = file["resources"]
    assert component == {"type": "kapsule-devops:scaleway:Network", "name": "network", "component": True}
    assert [(o["name"], o["parent"], o["version"], o["pluginDownloadUrl"]) for o in others] == [
        ("vpc", "network", "1.56.1", "github://api.github.com/pulumiverse"),
        ("other", "network", "1.56.1", "github://api.github.com/pulumiverse"),
    ]
    assert file["nameTable"] == {}
