"""An application's pipeline, `examples/app-pipeline`, by its own jobs: what a merge request shows and what a merge deploys.

`scw` is the stand-in of tests/engine/scw.py. What needs kubectl, or git to clone the operations project, is not run: that
the rollout says what is missing is.
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sandbox.scaleway.common import CLUSTERS
from tests.engine.estate import ROOT
from tests.engine.scw import command_in
from tests.pipelines.events import Ask
from tests.pipelines.gitlab_runner import Expanded, Ran, succeeded
from tests.pipelines.place import APP, Place

EXAMPLES = ROOT / "examples"
Play = Callable[..., dict[str, Ran]]


@pytest.fixture
def play(place: Place, ask: Ask, expanded: Expanded, tmp_path_factory: pytest.TempPathFactory) -> Play:
    repository, commands = tmp_path_factory.mktemp("app"), tmp_path_factory.mktemp("commands")
    for file in ("app-pipeline/deployment.yaml", "app-cluster/deploy.sh"):
        shutil.copy(EXAMPLES / file, repository)
    command_in(commands)
    gitlab = replace(place.gitlab, folder=repository, commands=commands, left_out=("promote:preprod",))

    def played(**event: Any) -> dict[str, Ran]:
        ran = gitlab.pipeline_of(EXAMPLES / "app-pipeline" / ".gitlab-ci.yml", ask, expanded, APP, **event)
        return {each.name: each for each in ran}

    return played


def test_a_merge_request_is_built_and_shown_what_it_would_make(place: Place, play: Play) -> None:
    place.api("POST", "repository/branches", APP, branch="feature/first", ref="main")
    opened = {"source_branch": "feature/first", "target_branch": "main", "title": "First"}
    request = place.api("POST", "merge_requests", APP, **opened)["iid"]
    ran = play(merge_request=request)
    assert {name: each.runner for name, each in ran.items()} == {"build": "preview", "preview:dev": "preview"}
    succeeded(ran["build"])
    assert "would make cluster kapsule-dev of Kubernetes 1.35." in succeeded(ran["preview:dev"])
    assert [c["name"] for c in place.estate.records(CLUSTERS)] == ["kapsule-devops"]


def test_a_merge_deploys_with_the_runners_key_and_says_what_a_rollout_lacks(place: Place, play: Play) -> None:
    ran = play(branch="main")
    assert {name: each.runner for name, each in ran.items()} == {
        "build": "preview",
        "deploy:dev": "deploy",
        "rollout:dev": "deploy",
    }
    said = succeeded(ran["deploy:dev"])
    (made,) = (c for c in place.estate.records(CLUSTERS) if c["name"] == "kapsule-dev")
    assert made["project_id"] == place.estate.outputs("dev")["targetProjectId"]
    assert f"ready: fr-par/{made['id']}" in said
    assert ran["rollout:dev"].code == 1
    assert "error: there is no /root/.kube/config: the environment's stack must mount it" in ran["rollout:dev"].log
