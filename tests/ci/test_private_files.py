"""What the tools write is their user's alone, whatever the umask."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci.engine import Engine
from ci.private_files import write


@pytest.fixture(autouse=True)
def everybody_may() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    write(file, "long …")
    write(file, "ü")
    assert file.read_text(encoding="utf-8") == "ü"
    assert file.stat().st_mode & 0o777 == 0o600


def test_so_is_what_the_engine_writes_for_them(tmp_path: Path) -> None:
    pulumi = tmp_path / "bin" / "pulumi"
    pulumi.parent.mkdir()
    pulumi.write_text('#!/bin/sh\nwhile [ "$1" != --save-plan ]; do shift; done\necho plan > "$2"; echo event\n')
    pulumi.chmod(0o700)
    events, plan = tmp_path / "events.jsonl", tmp_path / "plan.json"
    path = f"{pulumi.parent}:{os.environ['PATH']}"
    engine = Engine(stack="dev", policy_packs=[], environment={"PATH": path})
    assert engine.preview(events, plan) == (0, "")
    assert (events.read_text(), plan.read_text()) == ("event\n", "plan\n")
    assert [file.stat().st_mode & 0o777 for file in (events, plan)] == [0o600, 0o600]
