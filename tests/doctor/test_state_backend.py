"""The state backend, the stack in it, and the passphrase, with an engine that says what a test wants."""

import json
from pathlib import Path
from typing import Any

import pytest

from doctor.engine import Engine, Said
from doctor.passphrase import FILE, VARIABLE, passphrase_check
from doctor.state_backend import backend_refused, checks, stack_check, without_credentials
from doctor.verdicts import Verdict
from tests.ci.fake_pulumi import FakePulumi
from tests.doctor.conftest import not_right

SECRET = "correct horse battery staple"
BUCKET = "s3://acme-state?endpoint=s3.fr-par.scw.cloud&region=fr-par"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "passphrase"
    made.write_text(SECRET)
    made.chmod(0o600)
    return made


@pytest.fixture
def fake(tmp_path: Path) -> FakePulumi:
    made = FakePulumi(tmp_path / "bin")
    made.does("whoami", json.dumps({"user": "me", "url": BUCKET}))
    made.does("stack", json.dumps([{"name": "dev", "current": True}]))
    return made


def asked(fake: FakePulumi, stack: str = "dev", **environment: str) -> list[Any]:
    return list(checks(Engine({"PATH": fake.path} | environment, fake.folder), stack, {}))


def test_all_is_right(fake: FakePulumi, file: Path) -> None:
    found = asked(fake, **{FILE: str(file)})
    assert [check.text for check in found] == [
        "state backend s3://acme-state",
        f"the secrets' passphrase is in {file}, readable for its owner alone",
        "stack dev",
    ]
    assert not_right(found) == []
    assert (fake.arguments("whoami"), fake.arguments("stack")) == (
        ["whoami", "--json", "--non-interactive", "--color", "never"],
        ["stack", "ls", "--json", "--non-interactive", "--color", "never"],
    )


def test_a_backend_that_does_not_answer_is_told_and_the_passphrase_all_the_same(fake: FakePulumi) -> None:
    said = 'SDK 2026/11/29 WARN falling back to IMDSv1\nerror: read ".pulumi/meta.yaml": AccessDenied\n'
    fake.does("whoami", err=said, code=255)
    (check, passphrase) = asked(fake, **{VARIABLE: SECRET})
    assert check.text == (
        'the state backend does not answer (read ".pulumi/meta.yaml": AccessDenied): it must, or there is no state to '
        "compare with"
    )
    assert check.fix.startswith("pulumi login, or, with AWS_ACCESS_KEY_ID=ACCESS_KEY@PROJECT_OF_THE_BUCKET")
    assert passphrase.verdict is Verdict.OK
    assert "exit code 3" in backend_refused(Said(3, "", "")).text


def test_a_stack_that_is_not_there_is_told(fake: FakePulumi) -> None:
    found = asked(fake, "prod", **{VARIABLE: SECRET})
    assert [(check.verdict, check.fix) for check in found][2:] == [(Verdict.WRONG, "pulumi stack init prod")]
    fake.does("stack", err="error: no Pulumi.yaml\n", code=255)
    assert not_right(asked(fake, **{VARIABLE: SECRET}))[0][1].startswith("the state backend does not answer (no Pulumi")


@pytest.mark.parametrize(
    ("listed", "stack", "there"),
    [
        ([{"name": "dev"}], "dev", True),
        ([{"name": "dev"}], "acme/kapsule-devops/dev", True),
        ([{"name": "acme/dev"}], "dev", True),
        ([{"name": "acme/dev"}], "acme/dev", True),
        ([{"name": "dev2"}, {"name": "my-dev"}, "odd", {}], "dev", False),
        ([], "dev", False),
        ({"name": "dev"}, "dev", False),
    ],
)
def test_a_stack_is_known_by_its_name(listed: Any, stack: str, there: bool) -> None:
    assert (stack_check(listed, stack).verdict is Verdict.OK) == there


def test_an_address_is_shown_without_credentials() -> None:
    assert without_credentials("postgres://user:password@db:5432/state?sslmode=x") == "postgres://db:5432/state"
    assert without_credentials("file:///srv/state") == "file:///srv/state"


# --- the passphrase


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o610])
def test_a_file_that_others_can_read_is_wrong(file: Path, mode: int) -> None:
    file.chmod(mode)
    check = passphrase_check({FILE: str(file)}, {}, BUCKET)
    assert check.verdict is Verdict.WRONG
    assert f"has mode {mode:04o}: must be 0600" in check.text
    assert check.fix == f"chmod 600 {file}"


def test_no_passphrase_an_empty_one_and_no_file_are_wrong(file: Path) -> None:
    def text(**environment: str) -> str:
        check = passphrase_check(environment, {}, BUCKET)
        assert check.verdict is Verdict.WRONG
        assert SECRET not in check.text + check.fix
        return check.text

    assert text().startswith(f"neither {FILE} nor {VARIABLE} is set")
    assert text(**{VARIABLE: ""}).startswith(f"{VARIABLE} is empty")
    assert "is no file" in text(**{FILE: str(file.parent)})
    assert "cannot be read (No such file or directory)" in text(**{FILE: str(file.parent / "none")})
    file.write_text("")
    assert "is empty" in text(**{FILE: str(file)})


@pytest.mark.parametrize(
    ("header", "backend", "needed"),
    [
        ({}, BUCKET, True),
        ({}, "file:///srv", True),
        ({"encryptionsalt": "v1:x"}, "https://app.pulumi.com/acme", True),
        ({"secretsprovider": "passphrase"}, "https://app.pulumi.com/acme", True),
        ({"encryptionsalt": "v1:x"}, None, True),
        ({}, "https://app.pulumi.com/acme", False),
        ({"secretsprovider": "awskms://alias/x", "encryptedkey": "y"}, BUCKET, False),
        ({}, None, False),
    ],
)
def test_when_a_passphrase_is_needed(header: dict[str, str], backend: str | None, needed: bool) -> None:
    assert (passphrase_check({}, header, backend).verdict is Verdict.WRONG) == needed
