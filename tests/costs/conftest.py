"""The stand-in over HTTP, a server that answers anything, and products as the catalogue was recorded to list them."""

from collections.abc import Callable
from typing import Any

import pytest

from settings import Settings
from tests.doctor.conftest import FileOf, file_of, loopback_without_a_proxy, serve
from tests.sandbox.scaleway.conftest import api, server

__all__ = ["api", "file_of", "loopback_without_a_proxy", "serve", "server"]

SettingsOf = Callable[..., Settings]


@pytest.fixture
def settings_of(file_of: FileOf) -> SettingsOf:
    """dev's settings, with keys of some sections replaced."""

    def make(**sections: dict[str, Any]) -> Settings:
        settings = file_of(**sections).settings
        assert settings is not None
        return settings

    return make


def product(
    name: str = "GP1-XS", *, zone: str = "fr-par-1", units: Any = 0, nanos: Any = 92_820_000, **changes: Any
) -> dict[str, Any]:
    """What the command reads of one, with other fields as they are told."""
    return {
        "product": name,
        "locality": {"zone": zone},
        "price": {"retail_price": {"currency_code": "EUR", "units": units, "nanos": nanos}},
        "properties": {"instance": {"offer_id": name, "recommended_replacement_offer_ids": []}},
        "unit_of_measure": {"unit": "hour", "size": 1},
        "status": "general_availability",
    } | changes
