"""What an answer of the catalogue comes to, and what is said where there is none."""

import socket
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from ci import download
from ci.errors import CiError
from config_error import Problem
from costs import catalogue
from costs.catalogue import Price, asked, price_of
from costs.pools import Pool
from tests.costs.conftest import product
from tests.doctor.conftest import NOWHERE

POOL = Pool(name="dev", key="runnerPool.nodeType", node_type="GP1-XS", least=2, most=2)
REPLACEMENTS = "recommended_replacement_offer_ids"
RETIRED: dict[str, Any] = {"offer_id": "GP1-XS", REPLACEMENTS: ["POP2-8C-32G"]}
ANOTHER = "pulumi config set --path runnerPool.nodeType TYPE   # one of: scw instance server-type list zone=fr-par-1"


def told(*products: Any) -> Price | Problem:
    return price_of({"products": list(products), "total_count": len(products)}, POOL, "fr-par-1")


@pytest.mark.parametrize(
    ("changes", "hourly"),
    [
        ({}, "0.09282"),
        ({"units": 1, "nanos": 221_000_000}, "1.221"),
        ({"nanos": 110_330_000, "unit_of_measure": {"unit": "minute", "size": 1}}, "6.6198"),
        ({"unit_of_measure": {"unit": "minute", "size": 60}}, "0.09282"),
        ({"units": 0, "nanos": 0}, "0"),
        ({"status": "end_of_sale"}, "0.09282"),  # what runs is billed
    ],
)
def test_a_price_is_for_an_hour(changes: dict[str, Any], hourly: str) -> None:
    assert told(product(**changes)) == Price(hourly=Decimal(hourly), currency="EUR")


def test_only_the_type_in_its_zone_counts() -> None:
    others = (product("GP1-S", units=9), product(zone="fr-par-3", units=9))
    assert told(*others, product()) == Price(hourly=Decimal("0.09282"), currency="EUR")
    for none in ((), others):
        problem = told(*none)
        assert isinstance(problem, Problem)
        assert problem.text("Pulumi.dev.yaml") == (
            "  runnerPool.nodeType = 'GP1-XS' (Pulumi.dev.yaml): must be an Instance type that Scaleway's catalogue has in "
            f"fr-par-1, or Scaleway refuses the pool, and its price is not known.\n    Fix: {ANOTHER}"
        )


@pytest.mark.parametrize("status", ["retired", "end_of_life"])
def test_a_type_that_is_gone_has_no_price_and_its_successor_is_the_fix(status: str) -> None:
    problem = told(product(status=status, properties={"instance": RETIRED}))
    assert isinstance(problem, Problem)
    assert problem.rule == "must be a type that Scaleway still runs, and in fr-par-1 it is retired"
    assert problem.fix == "pulumi config set --path runnerPool.nodeType POP2-8C-32G"
    without = told(product(status=status))
    assert isinstance(without, Problem)
    assert without.fix == ANOTHER


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "products",
        {},
        {"products": None},
        {"products": ["GP1-XS"]},
        {"products": [{"product": "GP1-XS"}]},
        {"products": [product(), product()]},
        {"products": [product(price=None)]},
        {"products": [product(units="0")]},
        {"products": [product(units=-1)]},
        {"products": [product(nanos=0.5)]},
        {"products": [product(nanos=True)]},
        {"products": [product(unit_of_measure={"unit": "hour", "size": 0})]},
        {"products": [product(unit_of_measure={"unit": ["hour"], "size": 1})]},
        {"products": [product(unit_of_measure="hour")]},
        {"products": [product(price={"retail_price": {"currency_code": "\x1b[2J", "units": 0, "nanos": 0}})]},
        {"products": [product(price={"retail_price": {"currency_code": None, "units": 0, "nanos": 0}})]},
        {"products": [product(status=["retired"])]},
        {"products": [product(status="retired", properties={"instance": {"offer_id": "GP1-XS"}})]},
        {"products": [product(status="retired", properties={"instance": {**RETIRED, REPLACEMENTS: 7}})]},
    ],
    ids=lambda answer: repr(answer)[:60],
)  # fmt: skip
def test_another_answer_is_told_as_such(answer: Any) -> None:
    with pytest.raises(
        CiError, match=r"of GP1-XS in fr-par-1 something that is no price: it must .*, or .*\. Fix: see "
    ):
        price_of(answer, POOL, "fr-par-1")


@pytest.mark.parametrize("unit", ["month", "core", "unknown_countable_unit"])
def test_a_price_by_something_else_is_told(unit: str) -> None:
    with pytest.raises(CiError, match=rf"the price of GP1-XS in fr-par-1 by the {unit}: it must be by the hour or"):
        told(product(unit_of_measure={"unit": unit, "size": 1}))


def ask(url: str) -> Any:
    return asked({"SCW_API_URL": url}, "GP1-XS", "fr-par-1")


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe\x00", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"])
def test_what_is_no_json_is_no_price(serve: Callable[..., str], body: bytes) -> None:
    answer = ask(serve(body))
    with pytest.raises(CiError, match="something that is no price"):
        price_of(answer, POOL, "fr-par-1")


@pytest.mark.parametrize("status", [404, 429, 503])
def test_a_refusal_is_told_with_its_status(serve: Callable[..., str], status: int) -> None:
    with pytest.raises(
        CiError, match=rf"^Scaleway's catalogue answers {status}: it must list products, or .* Fix: run it "
    ):
        ask(serve(b"{}", status))


@pytest.mark.parametrize("url", [NOWHERE, "nowhere", "http://[::1"])
def test_a_catalogue_that_cannot_be_reached_is_told(url: str) -> None:
    with pytest.raises(
        CiError, match=r"^Scaleway's catalogue cannot be reached \(\w+\): it must be, or no .* HTTPS_PROXY"
    ):
        ask(url)


def test_a_catalogue_that_never_answers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "MAX_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(CiError, match=r"reached \(ReadTimeout\)"):
        ask(f"http://127.0.0.1:{silent.getsockname()[1]}")


def test_an_answer_has_an_end(serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(serve(b'"' + b"x" * 1_000 + b'"')) == "x" * 1_000
    monkeypatch.setattr(catalogue, "MAX_BYTES", 1_000)
    with pytest.raises(CiError, match=r"larger than 1,000 bytes or takes longer than 30 s: it must come to an end"):
        ask(serve(b'"' + b"x" * 1_000 + b'"'))
    monkeypatch.undo()
    monkeypatch.setattr(download, "time", SimpleNamespace(monotonic=iter([0.0, 31.0]).__next__))
    with pytest.raises(CiError, match="takes longer than 30 s"):
        ask(serve(b"{}"))
