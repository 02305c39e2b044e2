"""What starts a pipeline, as the variables that GitLab sets in it; None where it sets none."""

from collections.abc import Callable
from pathlib import Path

Ask = Callable[..., str]


def branch(name: str, **more: str | None) -> dict[str, str | None]:
    return {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": name, "CI_COMMIT_REF_NAME": name, **more}


def merge_request(source: str, target: str) -> dict[str, str | None]:
    return {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_COMMIT_BRANCH": None,
        "CI_MERGE_REQUEST_IID": "3",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": source,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": target,
    }


def schedule(name: str, task: str) -> dict[str, str | None]:
    return {"CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_BRANCH": name, "KAPSULE_DEVOPS_TASK": task}


def tag(name: str) -> dict[str, str | None]:
    return {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": None, "CI_COMMIT_TAG": name}


def in_words(value: dict[str, str | None] | set[str]) -> str:
    """For a test's id: a set's own text has another order in each process, and tests that run side by side must agree."""
    return " ".join(sorted(value)) or "none" if isinstance(value, set) else str(value)


def jobs(ask: Ask, file: Path, variables: dict[str, str | None]) -> set[str]:
    """The names of the jobs that run."""
    lines = ask(file, "--list-csv", **variables).splitlines()
    return {line.split(";")[0].strip('"') for line in lines if ";" in line and not line.startswith("name;")}
