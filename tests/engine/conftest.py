"""Engine tests: the real engine, providers and control planes over a copy of the checkout, with a home of its own."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import gettempdir

import pytest

from tests.engine.estate import ENVIRONMENTS, Estate, Up


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """A running sandbox that the tests of a session share; nothing of it is left afterwards."""
    left_by_others = set(Path(gettempdir()).glob("kubeconfig*"))
    estate = Estate(tmp_path_factory.mktemp("estate"))
    estate.start()
    yield estate
    estate.stop()
    assert estate.processes() == []
    assert set(Path(gettempdir()).glob("kubeconfig*")) <= left_by_others, "the Kubernetes plugin leaves tokens there"


@pytest.fixture(scope="session")
def environments(estate: Estate) -> dict[str, Up]:
    """All three environments, brought up at the same time."""
    with ThreadPoolExecutor(len(ENVIRONMENTS)) as pool:
        ups = dict(zip(ENVIRONMENTS, pool.map(estate.up, ENVIRONMENTS), strict=True))
    for up in ups.values():
        assert up.code == 0, up.printed
    return ups


@pytest.fixture(params=ENVIRONMENTS)
def environment(request: pytest.FixtureRequest, environments: dict[str, Up]) -> str:
    """The name of each environment in turn, brought up."""
    return str(request.param)


@pytest.fixture
def dev_as_declared(estate: Estate, environments: dict[str, Up]) -> Iterator[None]:
    """For a test that edits dev's settings: the estate is as declared again afterwards."""
    file = estate.checkout / "Pulumi.dev.yaml"
    before = file.read_text()
    yield
    file.write_text(before)
    if estate.changes("dev"):
        estate.pulumi("up --yes --skip-preview --stack dev")
        assert estate.changes("dev") == {}


@pytest.fixture(autouse=True)
def no_unknown_route(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test during which somebody asked a stand-in for something that it lacks."""
    yield
    if "estate" in request.fixturenames:
        assert request.getfixturevalue("estate").unknown_requests() == []


@pytest.fixture(autouse=True)
def no_sandbox_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell with a sandbox's environment must not lead a test to that sandbox."""
    for name in [n for n in os.environ if n.startswith(("PULUMI", "SCW_", "GITLAB_", "SANDBOX_", "HELM_"))]:
        monkeypatch.delenv(name)
