"""What reads a pipeline file as GitLab does: gitlab-ci-local, in the version of the lock file, installed into the cache."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from sandbox.toolchain.build import cache_folder, locked
from tests.pipelines.events import Ask
from tests.pipelines.place import Place, made

LOCK = Path(__file__).parent / "gitlab-ci-local"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)  # it installs a tool, which `make check` does not


@pytest.fixture(scope="session")
def gitlab_ci_local() -> Path:
    """The tool's command; installed once per version of the lock file, whole or not at all."""
    version = hashlib.sha256((LOCK / "package-lock.json").read_bytes()).hexdigest()[:16]
    home = cache_folder() / f"gitlab-ci-local-{version}"
    with locked("gitlab-ci-local"):  # chains of tests that need it begin at the same time
        if not home.exists():
            with tempfile.TemporaryDirectory(dir=cache_folder()) as scratch:
                unfinished = Path(scratch) / "unfinished"
                shutil.copytree(LOCK, unfinished)
                command: list[str | Path] = [
                    Path(sys.prefix) / "bin" / "npm",
                    "ci",
                    "--no-audit",
                    "--no-fund",
                    "--silent",
                ]
                subprocess.run(command, cwd=unfinished, env=_path(), check=True, timeout=300)
                unfinished.rename(home)
    return home / "node_modules" / ".bin" / "gitlab-ci-local"


def _path() -> dict[str, str]:
    """Node is a package of the virtual environment."""
    return os.environ | {"PATH": f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def _contents(file: Path) -> str:
    """A hash of a pipeline file and of what it may include."""
    files = [file, *sorted(each for each in (file.parent / "templates").rglob("*") if each.is_file())]
    return hashlib.sha256(b"\0".join(each.read_bytes() for each in files)).hexdigest()


@pytest.fixture(scope="session")
def told_before() -> dict[tuple[object, ...], str]:
    """What the tool said, by all that it was told: it is asked for the same file and event by many tests."""
    return {}


@pytest.fixture
def ask(gitlab_ci_local: Path, tmp_path: Path, told_before: dict[tuple[object, ...], str]) -> Ask:
    """`ask(file, "--list-csv", CI_COMMIT_BRANCH="main")`: what the tool says of that pipeline, in a repository of its own.

    A variable that is None is one that GitLab does not set in such a pipeline.
    """

    def told(file: Path, *flags: str, **variables: str | None) -> str:
        contents = _contents(file)
        question = (contents, flags, tuple(sorted(variables.items())))
        if question in told_before:
            return told_before[question]
        repository = tmp_path / contents
        if not repository.exists():
            git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(repository)]
            subprocess.run(["git", "init", "-q", "-b", "main", str(repository)], check=True)
            shutil.copy(file, repository / ".gitlab-ci.yml")
            if (included := file.parent / "templates").exists():
                shutil.copytree(included, repository / "templates")
            subprocess.run([*git, "add", "."], check=True)
            subprocess.run([*git, "commit", "-qm", "one"], check=True)
            subprocess.run([*git, "remote", "add", "origin", "git@gitlab.com:acme/platform.git"], check=True)
        arguments = ["--home", str(tmp_path), *flags]
        for name, value in variables.items():
            arguments += ["--unset-variable", name] if value is None else ["--variable", f"{name}={value}"]
        arguments += ["--ignore-predefined-vars", ",".join(variables)]
        command: list[str | Path] = [gitlab_ci_local, *arguments]
        result = subprocess.run(command, cwd=repository, env=_path(), capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, result.stdout + result.stderr
        told_before[question] = result.stdout
        return result.stdout

    return told


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory, end_with: Callable[..., None]) -> Iterator[Place]:
    """What the played pipelines share; nothing of it is left afterwards."""
    with made(tmp_path_factory.mktemp("pipeline")) as place:
        end_with(place.estate.stop, "pipelines")
        yield place
    assert place.estate.processes() == []


@pytest.fixture
def expanded(ask: Ask) -> Callable[[Path], dict[str, dict[str, object]]]:
    """Every job of a pipeline file with what it inherits, hidden ones left out."""

    def jobs(file: Path) -> dict[str, dict[str, object]]:
        whole = yaml.safe_load(ask(file, "--preview"))
        known = ("stages", "workflow", "variables", "default", "include", "spec", "cache", "image")
        default = yaml.safe_load(file.read_text()).get("default", {})  # the tool leaves out some of its keys
        return {n: {**default, **job} for n, job in whole.items() if n not in known and not n.startswith(".")}

    return jobs
