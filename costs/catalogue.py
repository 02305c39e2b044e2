"""Asks Scaleway's public product catalogue what a node costs. Needs no key, and sends none.

Owns the request, its limits, and what of an answer is read. Does not own which node types are asked for (`pools`).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import requests

from ci.download import EndlessError, StatusError, downloaded
from ci.errors import CiError
from config_error import Problem, set_command
from costs.pools import Pool

API: Final = "https://api.scaleway.com"
PATH: Final = "/product-catalog/v2alpha1/public-catalog/products"
MAX_BYTES: Final = 1_000_000  # an answer about one type has one thousand
MAX_SECONDS: Final = 30  # for all of it; without a byte, a third of that
_PER_HOUR: Final = {"hour": 1, "minute": 60}
_GONE: Final = ("end_of_life", "retired")  # after the other ends (of sale, of support, …), nodes run and are billed
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_CURL: Final = f"curl '{API}{PATH}?product_types=instance'"


@dataclass(frozen=True, kw_only=True)
class Price:
    """Of one node, for an hour. `currency` is a code such as EUR."""

    hourly: Decimal
    currency: str


def asked(environment: Mapping[str, str], node_type: str, zone: str) -> Any:
    """The catalogue's answer about a node type, as JSON. CiError: it cannot be had within the limits."""
    url = (environment.get("SCW_API_URL") or API).rstrip("/") + PATH
    query = {"api_ids": node_type, "product_types": "instance", "zone": zone}
    try:
        found = downloaded(url, most_bytes=MAX_BYTES, seconds=MAX_SECONDS, query=query)
    except StatusError as error:
        raise CiError(
            f"Scaleway's catalogue answers {error.status}: it must list products, or no price is known. "
            f"Fix: run it again later; if it stays so, see what {_CURL} says"
        ) from None
    except EndlessError:
        raise CiError(
            f"the answer of Scaleway's catalogue is larger than {MAX_BYTES:,} bytes or takes longer than "
            f"{MAX_SECONDS} s: it must come to an end, or no price is known. Fix: run it again later"
        ) from None
    except requests.RequestException as error:
        raise CiError(
            f"Scaleway's catalogue cannot be reached ({type(error).__name__}): it must be, or no price is known. "
            f"Fix: {_CURL} from here; a proxy belongs in HTTPS_PROXY, and SCW_API_URL is not to be set"
        ) from None
    try:
        return json.loads(found)
    except (ValueError, RecursionError):
        return None  # which is no list of products either


def price_of(answer: Any, pool: Pool, zone: str) -> Price | Problem:
    """What an answer comes to: the price, or what is wrong with the pool's node type. Pure.

    CiError: it is no such answer, or the price is by something else than time.
    """
    try:
        about = [each for each in answer["products"] if _is_about(each, pool.node_type, zone)]
        if not about:
            return _not_sold(pool, zone)
        (product,) = about
        if _text(product["status"]) in _GONE:
            return _retired(pool, zone, product["properties"]["instance"]["recommended_replacement_offer_ids"])
        money, measure = product["price"]["retail_price"], product["unit_of_measure"]
        amount = _number(money["units"], 0) + Decimal(_number(money["nanos"], 0)) / 10**9
        unit, size, currency = _text(measure["unit"]), _number(measure["size"], 1), _text(money["currency_code"])
        if not _CURRENCY.fullmatch(currency):
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise CiError(
            f"Scaleway's catalogue says of {pool.node_type} in {zone} something that is no price: it must list each product "
            f"with its price and its unit, or no price is known. Fix: see what {_CURL} says, and update this program"
        ) from None
    if unit not in _PER_HOUR:
        raise CiError(
            f"Scaleway's catalogue has the price of {pool.node_type} in {zone} by the {unit}: it must be by the hour or "
            "by the minute, or a month cannot be told. Fix: update this program"
        )
    return Price(hourly=amount * _PER_HOUR[unit] / size, currency=currency)


def _is_about(product: Any, node_type: str, zone: str) -> bool:
    return bool(product["properties"]["instance"]["offer_id"] == node_type and product["locality"]["zone"] == zone)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: Any, least: int) -> int:
    if type(value) is not int or value < least:
        raise ValueError
    return value


def _not_sold(pool: Pool, zone: str) -> Problem:
    return Problem(
        key=pool.key,
        value=pool.node_type,
        rule=f"must be an Instance type that Scaleway's catalogue has in {zone}",
        consequence="Scaleway refuses the pool, and its price is not known",
        fix=_another(pool, zone),
    )


def _retired(pool: Pool, zone: str, replacements: list[Any]) -> Problem:
    return Problem(
        key=pool.key,
        value=pool.node_type,
        rule=f"must be a type that Scaleway still runs, and in {zone} it is retired",
        consequence="Scaleway refuses the pool, and its price means nothing",
        fix=set_command(pool.key, replacements[0]) if replacements else _another(pool, zone),
    )


def _another(pool: Pool, zone: str) -> str:
    return set_command(pool.key, "TYPE") + f"   # one of: scw instance server-type list zone={zone}"
