"""`python -m graph` as a user runs it, with an engine that says what a test wants; and the picture that it writes."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from graph.__main__ import main
from graph.model import graph_of
from graph.svg import CHARACTERS, cut, drawn
from tests.ci.fake_pulumi import FakePulumi
from tests.graph.states import component, declared, resource, rows, state, urn

SVG = "{http://www.w3.org/2000/svg}"
BOX = {"urn": urn("box", "kapsule-devops:scaleway:Projects"), "type": "kapsule-devops:scaleway:Projects"}
SECRET = "SECRET-VALUE"
KEY = {
    "urn": urn("box-key"), "type": "scaleway:iam/apiKey:ApiKey", "custom": True, "parent": BOX["urn"], "id": "id-of-key",
    "inputs": {"description": SECRET}, "outputs": {"secretKey": SECRET},
}  # fmt: skip


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePulumi:
    monkeypatch.chdir(tmp_path)
    fake = FakePulumi(tmp_path / "bin")
    monkeypatch.setenv("PATH", fake.path)
    return fake


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def run(fake: FakePulumi, *arguments: str) -> int:
    return main(arguments, {"PATH": fake.path})


def test_a_stack_is_drawn_into_a_file(pulumi: FakePulumi, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pulumi.does("stack", json.dumps({"deployment": {"resources": [BOX, KEY]}}))
    assert run(pulumi, "--stack", "acme/kapsule-devops/dev") == 0
    assert capsys.readouterr().out == "dev.svg: 1 resources in 1 components\n"
    svg = (tmp_path / "dev.svg").read_text()
    assert {"box", "key", "ApiKey"} <= set(texts(svg))
    assert SECRET not in svg
    assert "id-of-key" not in svg


def test_the_file_is_of_choice(pulumi: FakePulumi, tmp_path: Path) -> None:
    pulumi.does("stack", json.dumps({"deployment": {"resources": [BOX, KEY]}}))
    assert run(pulumi, "--stack", "dev", "--output", "other.svg") == 0
    assert (tmp_path / "other.svg").exists()


def test_a_file_that_cannot_be_written_is_told(pulumi: FakePulumi, capsys: pytest.CaptureFixture[str]) -> None:
    pulumi.does("stack", json.dumps({"deployment": {"resources": [BOX, KEY]}}))
    assert run(pulumi, "--stack", "dev", "--output", "no/where.svg") == 1
    assert capsys.readouterr().err == (
        "error: no/where.svg cannot be written (No such file or directory): nothing was drawn. Fix: another --output FILE\n"
    )


def test_a_stack_that_is_not_there_and_one_that_is_empty_are_told(
    pulumi: FakePulumi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pulumi.does("stack", err="error: no stack named 'dev' found", code=255)
    assert run(pulumi, "--stack", "dev") == 1
    assert "docs/runbooks/lost-state.md" in capsys.readouterr().err
    pulumi.does("stack", json.dumps({"deployment": {}}))
    assert run(pulumi, "--stack", "dev") == 1
    assert capsys.readouterr().err == (
        "error: the stack dev holds nothing: nothing was drawn. Fix: pulumi up --stack dev\n"
    )
    assert not list(tmp_path.glob("*.svg"))


@pytest.mark.parametrize("stack", ["dev", "preprod", "prod"])
def test_a_picture_names_every_resource_and_its_type(stack: str) -> None:
    graph = graph_of(declared(stack))
    shown = texts(drawn(graph, stack))
    assert shown[0] == f"{stack}: {graph.resources} resources"
    for row in rows(graph):
        kind = f"{row.type}, protected" if row.protected else row.type
        assert kind in shown
        assert cut(row.name, CHARACTERS - len(kind)) in shown


def test_names_from_outside_are_escaped_and_stay_in_their_frame() -> None:
    box = component("<b>&" + "x" * 100)
    svg = drawn(graph_of(state(box, resource("<script>" + "y" * 100, parent=box.urn))), "<dev>")
    assert ElementTree.fromstring(svg).find(f"{SVG}title").text == "The stack <dev>"  # type: ignore[union-attr] # it is there
    assert max(map(len, texts(svg)[2:])) <= CHARACTERS


@pytest.mark.parametrize(("characters", "left"), [(5, "abcde"), (4, "abc…"), (1, "…"), (0, "…"), (-3, "…")])
def test_a_text_is_cut_where_its_room_ends(characters: int, left: str) -> None:
    assert cut("abcde", characters) == left
