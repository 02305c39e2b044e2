"""The article's commands: each request is one of the stand-ins', and the sum is that of the same latencies."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from benchmarks import article
from benchmarks.latencies import Latencies
from tests.sandbox.routes import all_routes

USED = Latencies(cluster=180, pool=90, requests={"k8s.*": 0.1, "*": 0.2})


def test_a_command_takes_its_requests_and_what_it_waits_for() -> None:
    (made, read, typed) = article.read(
        """
        commands:
          - { command: make, requests: [k8s.CreateCluster, iam.GetAPIKey], waits_for: cluster, known: text }
          - { command: read, requests: [k8s.GetCluster], known: project, cluster: kapsule-dev }
          - { command: type, known: text }
        """
    )
    assert [each.seconds(USED) for each in (made, read, typed)] == pytest.approx([180.3, 0.1, 0])


@pytest.mark.parametrize("wrong", ["known: hearsay", "known: text, waits_for: node", "known: text, minutes: 3", ""])
def test_a_command_that_cannot_be_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        article.read(f"commands: [{{ command: make, {wrong} }}]")


def test_the_commands_of_the_file(tmp_path: Path) -> None:
    commands = article.commands()
    known = {route.operation for route in all_routes(tmp_path)}
    assert {request for command in commands for request in command.requests} <= known
    waits = [(c.cluster, c.waits_for) for c in commands if c.waits_for]
    assert waits == [(cluster, kind) for cluster in ("kapsule-devops", "kapsule-dev") for kind in ("cluster", "pool")]
    assert 540 < sum(command.seconds(USED) for command in commands) < 543
