"""Watching a command: what /proc says, who belongs to it, and what came of each process."""

import os
import sys
from pathlib import Path

import pytest

from benchmarks.processes import CommandError, Lives, Seen, parsed, role_of, timed, tree, watched

SLEEPER = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(0.5)'])"


def seen(pid: int, parent: int, *, command: str = "", started: float = 100.0, cpu: float = 0.0, mb: int = 1) -> Seen:
    return Seen(pid=pid, parent=parent, started=started, cpu=cpu, resident=mb * 1_000_000, command=command)


def test_a_name_may_hold_what_separates_fields() -> None:
    fields = ["S", "7", *["0"] * 9, "250", "50", *["0"] * 6, "12345", "0", "3", "0"]
    found = parsed(f"42 (a) b (c)) {' '.join(fields)}")
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    assert found == Seen(pid=42, parent=7, started=12345 / ticks, cpu=300 / ticks, resident=3 * page)


def test_this_process_is_read_as_it_is() -> None:
    found = parsed(Path("/proc/self/stat").read_text())
    assert (found.pid, found.parent) == (os.getpid(), os.getppid())
    assert found.resident > 1_000_000


def test_descendants_belong_to_a_process_and_others_do_not() -> None:
    everybody = [seen(5, 4), seen(1, 0), seen(4, 2), seen(3, 1), seen(2, 1)]
    assert [each.pid for each in tree(2, everybody)] == [2, 4, 5]
    assert tree(9, everybody) == []


@pytest.mark.parametrize(
    ("command", "role"),
    [
        ("/x/bin/pulumi preview --stack dev", "engine"),
        ("/x y/pulumi", "engine"),
        ("/x/python -P -m sandbox.language_host 127.0.0.1:1", "language host"),
        ("/x/plugins/language-python-v3/pulumi-language-python 127.0.0.1:1", "language host"),
        ("/x/python -u /y/pulumi-language-python-exec --monitor 1", "program"),
        ("/x/resource-scaleway-v1/pulumi-resource-scaleway 127.0.0.1:1", "plugin scaleway"),
        ("/bin/sh /x/pulumi-resource-gitlab 1", "plugin gitlab"),
        ("/x/python -P -m sandbox.gitlab_plugin 127.0.0.1:1", "plugin gitlab"),
        ("/x/python -u -m pulumi.policy 127.0.0.1:1 /x/policies", "policies"),
        ("sed -E s/a/b/", "other"),
    ],
)
def test_a_process_is_told_by_its_command_line(command: str, role: str) -> None:
    assert role_of(command) == role


def test_a_life_goes_from_its_start_to_the_last_look() -> None:
    lives = Lives()
    lives.look(101.0, [seen(1, 0, command="sh /x/pulumi-resource-a", mb=5), seen(2, 1, started=100.5, mb=7, cpu=0.1)])
    lives.look(102.0, [seen(1, 0, command="/x/pulumi up", mb=3, cpu=2.0)])
    first, second = lives.all
    assert (first.role, first.start, first.end, first.cpu, first.peak_mb) == ("engine", 0.0, 2.0, 2.0, 5.0)
    assert (second.start, second.end, second.cpu, second.peak_mb) == (0.5, 1.0, 0.1, 7.0)
    assert lives.peak == 12_000_000  # of both at the same time, not each at its own


def test_a_number_that_is_given_again_is_another_process() -> None:
    lives = Lives()
    lives.look(101.0, [seen(1, 0), seen(2, 1, started=100.5)])
    lives.look(102.0, [seen(1, 0), seen(2, 1, started=101.5)])
    assert [life.start for life in lives.all] == [0.0, 0.5, 1.5]


def test_a_command_is_watched_with_what_it_starts(tmp_path: Path) -> None:
    found = watched([sys.executable, "-c", SLEEPER], tmp_path, {})
    assert found.seconds >= 0.5
    assert len(found.lives) == 2
    assert found.peak_mb == pytest.approx(sum(life.peak_mb for life in found.lives), rel=0.5)
    assert 0 < found.lives[1].start <= found.lives[1].end <= found.lives[0].end


def test_a_command_runs_in_its_folder_and_with_its_environment(tmp_path: Path) -> None:
    timed(["/bin/sh", "-c", 'echo "$WORD" > said'], tmp_path, {"WORD": "yes"})
    assert (tmp_path / "said").read_text() == "yes\n"


def test_a_command_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"ended with 3: …why"):
        timed(["/bin/sh", "-c", "echo why; exit 3"], tmp_path, {})
