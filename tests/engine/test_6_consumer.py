"""Another team's stack, `examples/consumer`: it gets dev's real values, and does nothing when the contract does not hold."""

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.scaleway.common import NAMESPACES
from tests.engine.estate import ENVIRONMENTS, Estate, Up

DEV, REGISTRY = "organization/kapsule-devops/dev", "acme-images-dev"


@dataclass(frozen=True)
class Consumer:
    """The example in the checkout's copy, with a stack `dev` of its own."""

    estate: Estate
    folder: Path

    def pulumi(self, arguments: str, code: int = 0) -> str:
        result = self.estate.shell(f"cd {shlex.quote(str(self.folder))}\npulumi {arguments} 2>&1")
        assert result.returncode == code, result.stdout + result.stderr
        return result.stdout

    def refused(self) -> str:
        """What is said of an `up` that does not pass; nothing is made or changed by it."""
        before = self.estate.records(NAMESPACES)
        said = self.pulumi("up --yes --skip-preview --stack dev", code=1)
        assert self.estate.records(NAMESPACES) == before
        assert "Traceback" not in said
        return said

    def reads(self, stack: str) -> None:
        self.pulumi(f"config set --stack dev environmentStack {stack}")

    def outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.pulumi("stack output --json --stack dev"))
        return found


@contextmanager
def replaced(file: Path, text: str) -> Iterator[None]:
    before = file.read_text()
    file.write_text(text)
    try:
        yield
    finally:
        file.write_text(before)


@pytest.fixture(scope="module")
def consumer(estate: Estate, environments: dict[str, Up]) -> Iterator[Consumer]:
    consumer = Consumer(estate, estate.checkout / "examples" / "consumer")
    file = consumer.folder / "Pulumi.dev.yaml"
    before = file.read_text()
    consumer.pulumi("stack init dev")
    yield consumer
    consumer.pulumi("destroy --yes --skip-preview --stack dev --remove")
    file.write_text(before)
    assert estate.records(NAMESPACES) == []


def test_it_is_built_on_what_dev_tells(consumer: Consumer) -> None:
    consumer.pulumi("up --yes --stack dev")
    dev = consumer.estate.outputs("dev")
    (made,) = consumer.estate.records(NAMESPACES)
    assert (made["name"], made["project_id"], made["region"]) == (REGISTRY, dev["targetProjectId"], dev["region"])
    assert consumer.outputs() == {
        "registry": made["endpoint"],
        "deployJob": {"tags": ["k8s-dev-runner"], "environment": "dev", "branch": "main"},
    }


def test_every_output_of_every_environment_can_be_read(consumer: Consumer) -> None:
    """With nulls, numbers and lists as the engine has them, and not as a sample has them."""
    with replaced(
        consumer.folder / "__main__.py",
        "import kapsule_devops_outputs, pulumi\n"
        "for name in ('dev', 'preprod', 'prod'):\n"
        "    read = kapsule_devops_outputs.read(f'organization/kapsule-devops/{name}')\n"
        "    told = read.apply(lambda e: [f'{r.tag} {p.project} {p.project_id}' for r in e.runners for p in r.projects])\n"
        "    pulumi.export(name, told.apply('; '.join))\n",
    ):
        shown = consumer.pulumi("preview --stack dev")
    for name in ENVIRONMENTS:
        runners = consumer.estate.outputs(name)["runners"]
        told = [f"{r['tag']} {p['project']} {p['projectId']}" for r in runners for p in r["projects"]]
        assert re.search(rf'\+ {name} *: "{re.escape("; ".join(told))}"', shown), shown


def test_another_version_of_the_contract_is_refused(consumer: Consumer) -> None:
    reader = consumer.folder / "kapsule_devops_outputs.py"
    with replaced(reader, reader.read_text().replace("CONTRACT_VERSION = 1 ", "CONTRACT_VERSION = 2 ")):
        said = consumer.refused()
    assert (
        f"error: stack {DEV} has contractVersion 1: it must be 2, which kapsule_devops_outputs.py reads, or an output means "
        "something else than is thought. Nothing is built on it. "
        f"Fix: pulumi up --stack {DEV}, in a kapsule-devops where it is 2\n" in said
    )


def test_a_stack_that_is_not_up_is_refused(consumer: Consumer) -> None:
    estate, other = consumer.estate, shlex.quote(str(consumer.estate.checkout / "examples" / "app-cluster"))
    estate.shell(f"cd {other}\npulumi stack init empty")
    consumer.reads("organization/app-cluster/empty")
    said = consumer.refused()
    consumer.reads(DEV)
    estate.shell(f"cd {other}\npulumi stack rm --yes empty")
    assert (
        "error: stack organization/app-cluster/empty tells nothing: it must be an environment of kapsule-devops" in said
    )


def test_a_stack_that_is_not_there_is_refused_by_the_engine(consumer: Consumer) -> None:
    consumer.reads("organization/kapsule-devops/nowhere")
    assert 'error: unknown stack "organization/kapsule-devops/nowhere"' in consumer.refused()
    consumer.reads(DEV)


def test_after_all_that_nothing_is_to_be_done(consumer: Consumer) -> None:
    consumer.pulumi("up --yes --stack dev --expect-no-changes")
