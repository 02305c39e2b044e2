"""The table: what is added up, how it is rounded, and that it fits a terminal."""

from decimal import Decimal

import pytest

from ci.errors import CiError
from costs.catalogue import Price
from costs.pools import Pool
from costs.table import Cost, lines


def cost(
    hourly: str, least: int, most: int = -1, *, name: str = "dev", kind: str = "X-1", currency: str = "EUR"
) -> Cost:
    pool = Pool(name=name, key="k", node_type=kind, least=least, most=least if most < 0 else most)
    return Cost(pool=pool, price=Price(hourly=Decimal(hourly), currency=currency))


def table(*costs: Cost) -> list[str]:
    return list(lines("title", costs, "taxes"))


def test_pools_are_multiplied_and_added_up() -> None:
    assert table(cost("0.02754", 2, name="system", kind="PLAY2-NANO"), cost("0.09282", 2, 5, kind="GP1-XS")) == [
        "title",
        "",
        "  pool    node type    nodes  EUR/h each         EUR/month",
        "  system  PLAY2-NANO       2     0.02754             40.21",
        "  dev     GP1-XS      2 to 5     0.09282  135.52 to 338.79",
        "  total                                   175.73 to 379.00",
        "",
        "A month is 730 hours. Not in it: taxes.",
    ]


def test_sums_are_made_before_they_are_rounded() -> None:
    rows = table(cost("0.00002", 1), cost("0.00002", 1))  # 0.0146 a month each
    assert [row.split()[-1] for row in rows[3:6]] == ["0.01", "0.01", "0.03"]


def test_a_pool_may_shrink_to_nothing() -> None:
    assert table(cost("1", 0, 1))[4].split() == ["total", "0.00", "to", "730.00"]


def test_the_currency_is_the_catalogues() -> None:
    assert table(cost("1", 1, currency="USD"))[2].split()[-3:] == ["USD/h", "each", "USD/month"]
    with pytest.raises(
        CiError, match="prices in EUR and USD: they must be in one currency, or they cannot be added up"
    ):
        table(cost("1", 1), cost("1", 1, currency="USD"))


def test_it_fits_80_columns_whatever_the_settings_allow() -> None:
    """The longest name, the longest type that was recorded, and 100 nodes of the dearest."""
    dear = cost("26.47999", 99, 100, name="a" * 29 + "b", kind="STANDARD2-A32C-128G")
    rows = list(lines("x" * 100, [dear, cost("1", 1)], "cluster and system pool of " + "y" * 200))
    assert max(map(len, rows)) == 80
    assert "  aaaaaaa…  STANDARD2-A32C-128G  99 to 100    26.47999  1913708.88 to 1933039.27" in "\n".join(rows)
