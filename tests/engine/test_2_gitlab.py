"""What GitLab's projects hold for each environment."""

from sandbox.gitlab.common import PROJECTS
from sandbox.gitlab.runners import RUNNERS
from sandbox.gitlab.schedules import SCHEDULES
from tests.engine.estate import Estate
from tests.engine.gitlab_project import APP, PLATFORM, of_project


def test_each_project_of_each_environment_has_the_same(environment: str, estate: Estate) -> None:
    app = of_project(estate, APP, environment)
    assert app == of_project(estate, PLATFORM, environment)
    assert (app["branches"], app["environments"], len(app["variables"])) == (1, 1, 6)
    assert app["tags"] == [f"k8s-{environment}-preview-runner", f"k8s-{environment}-runner"]
    projects = [runner["projects"] for runner in estate.outputs(environment)["runners"]]
    assert [[each["project"] for each in served] for served in projects] == [[APP, PLATFORM]] * 2
    assert {each["runnerId"] for served in projects for each in served} <= {
        str(r["id"]) for r in estate.records(RUNNERS)
    }


def test_each_environment_has_its_schedules_in_the_operations_project(environment: str, estate: Estate) -> None:
    branch = {"dev": "main"}.get(environment, environment)
    (project,) = [p["id"] for p in estate.records(PROJECTS) if p["path_with_namespace"] == PLATFORM]
    found = [s for s in estate.records(SCHEDULES) if s["ref"] == f"refs/heads/{branch}"]
    assert {s["description"]: (s["project_id"], s["cron"], s["cron_timezone"], s["active"]) for s in found} == {
        f"rotation of {environment}": (project, "23 2 * * *", "UTC", True),
        f"drift of {environment}": (project, "23 4 * * *", "UTC", True),
    }
    for schedule in found:
        ((key, value),) = [(v["key"], v["value"]) for v in schedule["variables"]]
        assert (key, f"{value} of {environment}") == ("KAPSULE_DEVOPS_TASK", schedule["description"])
