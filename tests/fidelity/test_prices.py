"""What the stand-in's catalog says of prices is what was recorded, in each zone."""

from typing import Any

import pytest

from sandbox.scaleway.catalog import NODE_TYPES
from tests.fidelity import cassette
from tests.fidelity.recordings import named

pytestmark = pytest.mark.engine  # it may download the module, which `make check` does not


@pytest.fixture(scope="module")
def recorded() -> dict[str, dict[str, Any]]:
    """What each zone lists, by the type's name."""
    found: dict[str, dict[str, Any]] = {}
    (path,) = named([("instance", "data-source-server-type-compare-with-pcu")])
    for one in cassette.read(path):
        if one.path.endswith("/products/servers"):
            found.setdefault(one.path.split("/")[4], {}).update(one.answer["servers"])
    return found


def test_each_zone_sells_what_it_was_recorded_to_sell_at_that_price(recorded: dict[str, dict[str, Any]]) -> None:
    assert len(recorded) == 9
    for zone, servers in recorded.items():
        said = {name: price for name, kind in NODE_TYPES.items() if (price := kind.price(zone)) is not None}
        assert said == {name: server["hourly_price"] for name, server in servers.items() if name in NODE_TYPES}, zone
