"""The GitLab projects that an environment serves: which may be named together, in the exact words."""

from collections.abc import Callable
from typing import Any

import pytest

Problems = Callable[..., list[str]]


def told(text: str) -> str:
    return text.replace(" (): ", " (Pulumi.dev.yaml): ")


@pytest.mark.parametrize("path", ["acme/app", "Acme/App", "_acme/app.", "acme-/-app", "acme/platform"])
def test_projects_differ_in_the_names_that_are_made_of_them(parse: Any, problems: Problems, path: str) -> None:
    assert problems({"gitlab.furtherProjects": ["acme/platform", path]}) == [
        told(
            f"gitlab.furtherProjects[1] = '{path}' (): must differ from every other project by more than case and "
            "punctuation, or two would share the names that are made of it. "
            "Fix: pulumi config rm --path 'gitlab.furtherProjects[1]'"
        )
    ]
    found = parse({"gitlab.furtherProjects": ["acme/platform", "acme/app2"]}).gitlab
    assert found.projects == ("acme/app", "acme/platform", "acme/app2")


def test_the_project_of_the_schedules_is_served(parse: Any, problems: Problems) -> None:
    alone = {"gitlab.furtherProjects": [], "gitlab.operationsProject": "acme/app"}
    assert parse(alone).gitlab.operations_project == "acme/app"
    assert parse({"gitlab.operationsProject": "Acme/Platform"}).gitlab.operations_project == "Acme/Platform"
    assert problems(alone | {"gitlab.operationsProject": "acme/ops"}) == [
        told(
            "gitlab.furtherProjects (): must name operationsProject acme/ops, which is not project either, or no runner of "
            "this environment takes its scheduled jobs. "
            "Fix: pulumi config set --path 'gitlab.furtherProjects[0]' acme/ops"
        )
    ]
    (text,) = problems({"gitlab.operationsProject": "acme/ops"})
    assert text.endswith("'gitlab.furtherProjects[1]' acme/ops")


def test_50_further_projects_are_the_most(parse: Any, problems: Problems) -> None:
    paths = [f"acme/p{number}" for number in range(51)]
    alone = {"gitlab.operationsProject": None}
    assert len(parse(alone | {"gitlab.furtherProjects": paths[:50]}).gitlab.projects) == 51
    assert problems(alone | {"gitlab.furtherProjects": paths}) == [
        "gitlab.furtherProjects (Pulumi.dev.yaml): must have at most 50 items, or their jobs find no runner. "
        "Fix: pulumi config rm --path 'gitlab.furtherProjects[50]'"
    ]
