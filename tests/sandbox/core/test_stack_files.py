"""What the sandbox reads in stack files: the account and the projects that they take by id, and nothing else."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import stack_files
from sandbox.scaleway import Wanted

A, B, C = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(stack_files, "CHECKOUT", tmp_path)
    return tmp_path


def write(checkout: Path, stack: str, config: str) -> None:
    (checkout / f"Pulumi.{stack}.yaml").write_text(config)


def account(organization: str, project: str) -> str:
    return f"config:\n  kapsule-devops:account: {{organizationId: {organization}, projectId: {project}}}\n"


def test_the_stacks_are_those_with_a_file(checkout: Path) -> None:
    for stack in ("prod", "dev"):
        write(checkout, stack, "")
    (checkout / "Pulumi.yaml").touch()
    assert stack_files.stacks() == ["dev", "prod"]


def test_account_and_projects_are_read(checkout: Path) -> None:
    projects = f"  kapsule-devops:projects: {{devops: {{id: {C}}}, target: {{name: app}}, credentials: {{id: {B}}}}}\n"
    write(checkout, "dev", account(A, B) + projects)
    assert stack_files.wanted("dev") == Wanted(organization_id=A, project_id=B, projects=(C, B))


def test_a_section_may_be_text(checkout: Path) -> None:
    """`pulumi config set account '{…}'` stores it so."""
    write(checkout, "dev", f'config:\n  kapsule-devops:account: \'{{"organizationId": "{A}"}}\'\n')
    assert stack_files.wanted("dev") == Wanted(organization_id=A)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "config: 5",
        "config:\n  kapsule-devops:account: [1]",
        "config:\n  kapsule-devops:account: '{'",
        "config:\n  kapsule-devops:account: {organizationId: 5, projectId: acme}",
        "config:\n  kapsule-devops:projects: {devops: 5, target: {id: [1]}}",
        f"config:\n  other:account: {{organizationId: {A}}}",
    ],
)
def test_what_is_not_as_expected_names_nothing(checkout: Path, text: str) -> None:
    """The program tells what is wrong with it."""
    write(checkout, "dev", text)
    assert stack_files.wanted("dev") == Wanted()
    assert stack_files.wanted_by_all() == Wanted()


ACCOUNT = f"config:\n  kapsule-devops:account: {{organizationId: {A}, projectId: {B}}}\n"
MERGES = "".join(f"a{n}: &a{n}\n  <<: [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
ALIASES = "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
VALUES = ["!!int ''", "!!int x", "!!bool x", "!!float x", "!!timestamp x", "2026-13-45", "9" * 9_000, "[" * 500, "\0"]


@pytest.mark.parametrize(
    "text",
    [*(f"{ACCOUNT}more: {value}\n" for value in VALUES), f"a0: &a0 {{k: v}}\n{MERGES}{ACCOUNT}", f"{ACCOUNT}a: \ud800"],
    ids=[*(value[:20] for value in VALUES), "merges", "half a character"],
)
def test_a_file_that_cannot_be_read_names_nothing(checkout: Path, text: str) -> None:
    (checkout / "Pulumi.dev.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert stack_files.wanted("dev") == stack_files.wanted_by_all() == Wanted()


@pytest.mark.parametrize("value", VALUES)
def test_a_section_of_such_text_names_nothing(checkout: Path, value: str) -> None:
    write(checkout, "dev", f"config:\n  kapsule-devops:account: {json.dumps(value)}\n")
    assert stack_files.wanted("dev") == Wanted()


def test_aliases_and_merge_keys_are_read(checkout: Path) -> None:
    merged = f"of: &of {{organizationId: {A}}}\nconfig:\n  kapsule-devops:account: {{<<: *of, projectId: {B}}}\n"
    write(checkout, "dev", f"a0: &a0 [x]\n{ALIASES}{merged}")
    assert stack_files.wanted("dev") == Wanted(organization_id=A, project_id=B)


def test_what_is_no_file_names_nothing(checkout: Path) -> None:
    (checkout / "Pulumi.folder.yaml").mkdir()
    os.mkfifo(checkout / "Pulumi.pipe.yaml")
    assert stack_files.stacks() == ["folder", "pipe"]
    assert stack_files.wanted_by_all() == Wanted()


def test_a_file_of_just_the_limit_and_one_byte_more(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_files, "MAX_BYTES", len(ACCOUNT))
    write(checkout, "dev", ACCOUNT)
    assert stack_files.wanted("dev") == Wanted(organization_id=A, project_id=B)
    write(checkout, "dev", ACCOUNT + "#")
    assert stack_files.wanted("dev") == Wanted()


@given(content=st.binary(max_size=60) | st.text(alphabet="[]{},:-?&*!|>'\"%@`# \n\tab<=", max_size=40).map(str.encode))
def test_any_bytes_name_nothing(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stack_files, "CHECKOUT", folder := tmp_path_factory.getbasetemp())
        (folder / "Pulumi.any.yaml").write_bytes(b"config: " + content)
        assert stack_files.wanted("any") == Wanted()


def test_files_that_agree_name_one_account(checkout: Path) -> None:
    write(checkout, "dev", account(A, B))
    write(checkout, "preprod", "")
    write(checkout, "prod", account(A, B) + f"  kapsule-devops:projects: {{devops: {{id: {C}}}}}\n")
    assert stack_files.wanted_by_all() == Wanted(organization_id=A, project_id=B, projects=(C,))


@pytest.mark.parametrize("other", [(C, B), (A, C)])
def test_files_that_differ_leave_it_to_who_brings_one_up(checkout: Path, other: tuple[str, str]) -> None:
    write(checkout, "dev", account(A, B))
    write(checkout, "prod", account(*other))
    assert stack_files.wanted_by_all() == Wanted()


def test_the_real_files_agree() -> None:
    assert stack_files.wanted_by_all() == stack_files.wanted("prod") == Wanted(organization_id=A, project_id=A)
