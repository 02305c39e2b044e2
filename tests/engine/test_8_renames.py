"""Renaming a component keeps its resources: with an alias nothing is created, deleted or replaced."""

import re
from collections.abc import Iterator

import pytest

from tests.engine.estate import Estate

pytestmark = pytest.mark.usefixtures("dev")

MAIN, PLACE, NETWORK = "__main__.py", "components/cluster_place.py", "components/network.py"
RUNNER, GITLAB = "components/runner.py", "components/gitlab_project.py"
# Where each component of an environment gets its name.
COMPONENTS = {
    "projects": MAIN,
    "runner-pool": MAIN,
    "managers": MAIN,
    "reserved-pool": MAIN,
    "network": PLACE,
    "cluster": PLACE,
    "cluster-guard": PLACE,
}


@pytest.fixture(autouse=True)
def program_comes_back(estate: Estate, dev: None) -> Iterator[None]:
    files = {
        estate.checkout / name: (estate.checkout / name).read_text() for name in (MAIN, PLACE, NETWORK, RUNNER, GITLAB)
    }
    yield
    for path, text in files.items():
        path.write_text(text)


def rename(estate: Estate, old: str, new: str, *, alias: str | None, file: str = PLACE) -> None:
    """As the README says: the new name, and the old one as an alias. Names are Python expressions."""
    path = estate.checkout / file
    opts = f"opts=pulumi.ResourceOptions(aliases=[pulumi.Alias({alias})])," if alias else ""
    text, count = re.subn(
        rf"(\(\s*){re.escape(old)},(\s+)(\w+Args\()",
        lambda found: f"{found[1]}{new}, {opts}{found[2]}args={found[3]}",
        path.read_text(),
    )
    assert count, (file, old)
    if not re.search("^import pulumi$", text, re.MULTILINE):
        text = text.replace("\n\n", "\n\nimport pulumi\n", 1)
    path.write_text(text)


def rename_where_options_are(estate: Estate, old: str, new: str, *, alias: str, file: str) -> None:
    """The same where the component has options already: the alias goes into them."""
    path = estate.checkout / file
    text, count = re.subn(
        rf"{re.escape(old)},(.*?)ResourceOptions\(parent=parent\)",
        lambda found: f"{new},{found[1]}ResourceOptions(parent=parent, aliases=[pulumi.Alias(name={alias})])",
        path.read_text(),
        count=1,
        flags=re.DOTALL,
    )
    assert count, (file, old)
    path.write_text(text)


def test_renamed_components_keep_their_resources_with_what_is_deeper_inside_them(estate: Estate) -> None:
    """All of them: the cluster has a provider inside, and a runner has components of its own."""
    for name, file in COMPONENTS.items():
        rename(estate, f'"{name}"', f'"new-{name}"', alias=f'name="{name}"', file=file)
    for old, new, file in (
        ("gitlab{suffixes[path]}", "git{suffixes[path]}", GITLAB),
        ("runner-{each.name}", "ci-{each.name}", RUNNER),
    ):
        before, after = f'f"{{inside(parent)}}{old}"', f'f"{{inside(parent)}}{new}"'
        rename_where_options_are(estate, before, after, alias=before, file=file)
    assert estate.changes("dev") == {}


def test_a_component_may_get_another_type_as_well(estate: Estate) -> None:
    file = estate.checkout / NETWORK
    old, new = "kapsule-devops:scaleway:Network", "kapsule-devops:scaleway:PrivateNetworking"
    file.write_text(file.read_text().replace(old, new))
    rename(estate, '"network"', '"vpc"', alias=f'name="network", type_="{old}"')
    assert estate.changes("dev") == {}


def test_without_an_alias_they_would_be_made_anew(estate: Estate) -> None:
    rename(estate, '"network"', '"vpc"', alias=None)
    changes = estate.changes("dev")
    assert {n: op for n, op in changes.items() if n.startswith("vpc")} == {
        "vpc": "create",
        "vpc-vpc": "create",
        "vpc-private": "create",
    }
    assert changes["network-private"] == "delete"


def test_the_alias_may_go_when_every_stack_is_up(estate: Estate) -> None:
    place = estate.checkout / PLACE
    before = place.read_text()
    rename(estate, '"network"', '"vpc"', alias='name="network"')
    estate.pulumi("up --yes --skip-preview --stack dev")
    place.write_text(before)
    rename(estate, '"network"', '"vpc"', alias=None)
    assert estate.changes("dev") == {}
    place.write_text(before)
    rename(estate, '"network"', '"network"', alias='name="vpc"')
    estate.pulumi("up --yes --skip-preview --stack dev")
    place.write_text(before)
    assert estate.changes("dev") == {}
