"""The image of pipelines, as far as it can be looked at without building it: pins, versions, files, and no secret."""

import re
import subprocess
from pathlib import Path

import pytest

from sandbox.toolchain import parts

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Containerfile").read_text()
# Instructions without comments, each on one line.
INSTRUCTIONS = re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE).replace("\\\n", "").splitlines()


def of(instruction: str) -> list[str]:
    return [line.removeprefix(instruction).strip() for line in INSTRUCTIONS if line.startswith(f"{instruction} ")]


def test_it_is_made_of_the_engine_that_is_pinned() -> None:
    assert of("FROM") == [f"docker.io/pulumi/pulumi-python-3.11:{parts.PULUMI_VERSION}"]


def test_every_package_is_pinned_and_nothing_else_is_installed() -> None:
    assert [run for run in of("RUN") if "pip install" in run] == [
        "python3 -m venv .venv  && .venv/bin/pip install --no-cache-dir --requirement requirements.txt"
    ]
    assert not [run for run in of("RUN") if re.search(r"\b(apt|apt-get|apk|curl|wget)\b", run)]


@pytest.mark.parametrize(
    ("plugin", "package", "version"),
    [
        ("scaleway", "pulumiverse-scaleway", parts.SCALEWAY_PLUGIN_VERSION),
        ("kubernetes", "pulumi-kubernetes", parts.KUBERNETES_PLUGIN_VERSION),
        ("gitlab", "pulumi-gitlab", None),
    ],
)
def test_each_plugin_has_the_version_of_its_sdk(plugin: str, package: str, version: str | None) -> None:
    """By the very function that the build runs."""
    (run,) = (run for run in of("RUN") if "plugin install" in run)
    assert f'pulumi plugin install resource {plugin} "$(version {package})"' in run
    function = run.partition(" && ")[0]
    told = subprocess.run(
        ["sh", "-euc", f"{function}\nversion {package}"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert re.fullmatch(r"\d+\.\d+\.\d+", told)
    assert version in (None, told)


def test_what_is_copied_is_there_and_is_all_that_a_build_sees() -> None:
    copied = {name for line in of("COPY") for name in line.split()[:-1]}
    assert all((ROOT / name).is_file() for name in copied)
    ignored = (ROOT / ".containerignore").read_text().splitlines()
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == copied
    assert "*" in ignored


def test_it_takes_no_argument_in_which_a_secret_could_stay() -> None:
    assert of("ARG") == []
    assert not re.search(r"TOKEN|SECRET|PASSPHRASE|ACCESS_KEY", "\n".join(INSTRUCTIONS))


def test_the_virtual_environment_is_where_the_program_looks_for_it() -> None:
    folder = of("WORKDIR")[0]
    assert f"prepare: ln -sfn {folder}/.venv .venv" in TEXT
    assert "virtualenv: .venv" in (ROOT / "Pulumi.yaml").read_text()
