"""The table: pools, what they cost, and the total, in lines of 80 columns. Pure."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ci.errors import CiError
from costs.catalogue import Price
from costs.pools import Pool

COLUMNS: Final = 80
HOURS: Final = 730  # of a month: 365 days of 24 hours, through 12
_GAP: Final = "  "


@dataclass(frozen=True, kw_only=True)
class Cost:
    """A pool and the price of its nodes."""

    pool: Pool
    price: Price

    def month(self, nodes: int) -> Decimal:
        return self.price.hourly * HOURS * nodes


def lines(title: str, costs: Sequence[Cost], not_in_it: str) -> Iterator[str]:
    """CiError: the prices are in several currencies."""
    currencies = sorted({cost.price.currency for cost in costs})
    if len(currencies) > 1:
        raise CiError(
            f"Scaleway's catalogue has prices in {' and '.join(currencies)}: they must be in one currency, or they "
            "cannot be added up. Fix: run it again; if it stays so, update this program"
        )
    rows = [("pool", "node type", "nodes", f"{currencies[0]}/h each", f"{currencies[0]}/month")]
    for cost in costs:
        least, most = cost.pool.least, cost.pool.most
        month = _range(_money(cost.month(least)), _money(cost.month(most)))
        price = f"{cost.price.hourly:.5f}"
        rows.append((cost.pool.name, cost.pool.node_type, _range(str(least), str(most)), price, month))
    total = sum((cost.month(cost.pool.least) for cost in costs), Decimal())
    greatest = sum((cost.month(cost.pool.most) for cost in costs), Decimal())
    rows.append(("total", "", "", "", _range(_money(total), _money(greatest))))
    yield from textwrap.wrap(title, COLUMNS)
    yield ""
    yield from _aligned(rows)
    yield ""
    yield from textwrap.wrap(f"A month is {HOURS} hours. Not in it: {not_in_it}.", COLUMNS)


def _range(least: str, most: str) -> str:
    return least if least == most else f"{least} to {most}"


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Texts to the left, numbers to the right. A pool's name is cut where its room ends: the settings have it in full."""
    _, *widths = (max(map(len, column)) for column in zip(*rows, strict=True))
    room = COLUMNS - len(_GAP) - sum(len(_GAP) + width for width in widths)
    names = [name if len(name) <= room else f"{name[: room - 1]}…" for name, *_ in rows]
    longest = max(map(len, names))
    for name, (_, kind, *numbers) in zip(names, rows, strict=True):
        cells = [name.ljust(longest), kind.ljust(widths[0])]
        cells += (number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True))
        yield _GAP + _GAP.join(cells)
