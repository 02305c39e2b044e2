"""The chart repository: the stand-in's over HTTP, and others that a server of a test plays."""

from collections.abc import Callable

import pytest

from ci.errors import CiError
from doctor import chart
from doctor.verdicts import Check, Verdict, of_error
from sandbox.charts.repository import index
from tests.doctor.conftest import NOWHERE, FileOf, Instance, not_right

VERSION = "0.86.0"
Ask = Callable[..., list[Check]]


@pytest.fixture
def ask(file_of: FileOf) -> Ask:
    def run(repository: str, **environment: str) -> list[Check]:
        settings = file_of(runnerChart={"version": VERSION, "repository": repository}).settings
        assert settings is not None
        try:
            return list(chart.checks(environment, settings, "dev"))
        except CiError as error:
            return [of_error(error)]

    return run


def test_the_stand_ins_chart_is_there_and_the_variable_wins(ask: Ask, instance: Instance) -> None:
    repository = f"{instance.listener.url}/charts"
    for found in (ask(repository), ask(NOWHERE, GITLAB_RUNNER_CHART_REPOSITORY=repository)):
        assert not_right(found) == []
        assert found[0].text == f"gitlab-runner {VERSION} in {repository}"


def test_a_version_that_is_not_there_is_told_with_the_newest(ask: Ask, serve: Callable[..., str]) -> None:
    repository = serve(index("http://x").replace(VERSION, "0.99.1").encode())
    (check,) = ask(repository)
    assert check.verdict is Verdict.WRONG
    assert check.text == (
        f"gitlab-runner {VERSION} is not in {repository}: it must be, or no runner starts. The newest there is 0.99.1"
    )
    assert check.fix == (f"pulumi config set --path runnerChart.version 0.99.1 --stack dev, or mirror {VERSION} there")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"entries: {other: [{version: 1.0.0}]}", "has no chart gitlab-runner"),
        (b"entries: {gitlab-runner: {version: 0.86.0}}", "has no chart gitlab-runner"),
        (b"<html>Please log in</html>", "is no chart repository"),
        (b"entries: [", "is no chart repository"),
        (b"\xff\xfe\x00", "is no chart repository"),
        (b"", "is no chart repository"),
    ],
)
def test_what_is_no_index_is_told(ask: Ask, serve: Callable[..., str], body: bytes, says: str) -> None:
    (check,) = ask(serve(body))
    assert check.verdict is Verdict.WRONG
    assert says in check.text


def test_an_error_no_network_and_an_index_without_an_end_are_told(
    ask: Ask, serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "answers 404 for index.yaml" in ask(serve(b"", 404))[0].text
    assert ask(NOWHERE)[0].text == f"{NOWHERE} cannot be reached (ConnectionError): it must be, or Helm finds no chart"
    monkeypatch.setattr(chart, "MAX_BYTES", 1_000)
    assert "is larger than 1,000 bytes" in ask(serve(b"x" * 2_000))[0].text


def test_a_password_in_the_address_is_not_shown(ask: Ask) -> None:
    (check,) = ask(NOWHERE.replace("http://", "http://user:SECRET-VALUE@"))
    assert "SECRET-VALUE" not in check.text + check.fix
