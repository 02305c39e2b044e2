"""Reading cassettes of go-vcr's versions, and refusing what is none."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fidelity import cassette
from tests.fidelity.cassette import CassetteError
from tests.fidelity.made_up import VPC, VPCS, interaction, vpc, write


def test_reads_request_and_answer(tmp_path: Path) -> None:
    made = interaction("POST", f"{VPCS}?page=1&empty=", vpc(), asked={"name": "a"})
    (found,) = cassette.read(write(tmp_path / "c.yaml", made))
    assert (found.number, found.method, found.host, found.path) == (0, "POST", "api.scaleway.com", VPCS)
    assert found.query == (("page", "1"), ("empty", ""))
    assert (found.asked, found.code, found.answer["id"]) == ({"name": "a"}, 200, VPC)
    assert found.recorded_on == date(2026, 6, 24)


def test_reads_the_first_version(tmp_path: Path) -> None:
    """It has neither numbers nor hosts nor a method for GET, and some writers left out the code."""
    request = {"body": "", "form": {}, "headers": {}, "url": f"https://api.scaleway.com{VPCS}", "method": ""}
    response = {"body": "<html>", "headers": {}, "status": "503 Service Unavailable"}
    path = write(tmp_path / "c.yaml", {"request": request, "response": response}, version=1)
    (found,) = cassette.read(path)
    assert (found.method, found.code, found.answer, found.recorded_on) == ("GET", 503, None, None)


def test_a_form_is_sent_and_a_query_is_no_form(tmp_path: Path) -> None:
    """Go keeps the query's fields among those of the form, of any request."""
    asks, posts = interaction("GET", f"{VPCS}?page=1"), interaction("POST", f"{VPCS}?page=1")
    asks["request"]["form"] = {"page": ["1"]}
    posts["request"]["form"] = {"page": ["1"], "name": ["a b"]}
    posts["request"]["headers"] = {"Content-Type": ["application/x-www-form-urlencoded"]}
    assert [i.body for i in cassette.read(write(tmp_path / "c.yaml", asks, posts))] == ["", "name=a+b"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: [", "is no cassette: not YAML"),
        ("# A readme", "is no cassette: it has no list of interactions"),
        ("interactions: many", "is no cassette: it has no list of interactions"),
        ("interactions: []", "has no interactions: there is nothing to replay"),
        ("interactions: [{request: {}}]", "is no cassette: interaction 0 cannot be read (KeyError: 'response')"),
        ("interactions: [[]]", "is no cassette: interaction 0 cannot be read (TypeError"),
    ],
)
def test_what_is_no_cassette_is_told_in_one_line(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(content)
    with pytest.raises(CassetteError) as error:
        cassette.read(path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="cannot be read: No such file"):
        cassette.read(tmp_path / "none.yaml")


@pytest.mark.parametrize("change", [{"url": "not a url"}, {"url": None}])
def test_an_interaction_needs_a_url(tmp_path: Path, change: dict[str, Any]) -> None:
    made = interaction("GET", VPCS)
    made["request"] |= change
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump({"interactions": [made]}))
    with pytest.raises(CassetteError, match="interaction 0 cannot be read"):
        cassette.read(path)


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("1.18464175s", 1.18464175),
        ("405.246208ms", 0.405246208),
        ("850µs", 0.00085),
        ("1m2.5s", 62.5),
        ("0s", None),
        ("", None),
        ("soon", None),
        (None, None),
    ],
)
def test_reads_how_long_an_answer_took(tmp_path: Path, duration: str | None, seconds: float | None) -> None:
    made = interaction("GET", VPCS)
    made["response"]["duration"] = duration
    (found,) = cassette.read(write(tmp_path / "c.yaml", made))
    assert found.seconds == (None if seconds is None else pytest.approx(seconds))
