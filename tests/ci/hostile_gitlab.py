"""A GitLab on loopback that answers every request of the tools rightly, but for what a test changes in one of its answers.

It keeps nothing, so that each run meets the same. That GitLab answers so is tested against its stand-in, in the tools' own
tests.
"""

import contextlib
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs

import pytest
from werkzeug.wrappers import Response

from ci import deploy, preview_report, promote
from sandbox.web import Listener, Service
from tests.ci.conftest import SAMPLES
from tests.ci.fake_pulumi import UNCHANGED, FakePulumi
from tests.ci.plan_samples import text_of_plan

TOKEN = "glpat-Zz19_-abcdEFGHijkl"
SHA = "a1" * 20
_TIME = "2026-11-23T10:00:00.000Z"
_LINK = "https://gitlab.example.com/acme/app/-"
_BOT: dict[str, Any] = {"id": 2, "username": "bot", "name": "Bot"}
_REQUEST: dict[str, Any] = {
    "iid": 5, "id": 50, "title": "Work", "description": "", "state": "merged", "web_url": f"{_LINK}/merge_requests/5",
    "author": _BOT, "assignees": [], "reviewers": [_BOT], "source_project_id": 1, "target_project_id": 1, "sha": SHA,
    "merge_commit_sha": None, "squash_commit_sha": None, "merged_at": _TIME, "squash": False,
    "force_remove_source_branch": None,
}  # fmt: skip
_MARKER = "<!-- kapsule-devops:preview project=kapsule-devops stack=dev -->"
# What is answered, by the name that tests have for it: method, path below /api/v4, state in the query, body.
_ROUTES: dict[str, tuple[str, str, str, Any]] = {
    "project": ("GET", "/projects/1", "", {"id": 1, "path_with_namespace": "acme/app", "web_url": _LINK[:-2]}),
    "source": ("GET", "/projects/1/repository/branches/main", "", {"commit": {"id": SHA}}),
    "target": ("GET", "/projects/1/repository/branches/preprod", "", {"commit": {"id": "b2" * 20}}),
    "merged": ("GET", "/projects/1/merge_requests", "merged", [_REQUEST]),
    "open": ("GET", "/projects/1/merge_requests", "opened", [_REQUEST | {"iid": 6, "state": "opened"}]),
    "commits": ("GET", "/projects/1/repository/commits", "", [{"id": SHA, "committed_date": _TIME}]),
    "user": ("GET", "/users/2", "", _BOT),
    "users": ("GET", "/users", "", [_BOT]),
    "updated": ("PUT", "/projects/1/merge_requests/6", "", _REQUEST | {"iid": 6, "assignees": [_BOT]}),
    "created": ("POST", "/projects/1/merge_requests", "", _REQUEST | {"iid": 6, "assignees": [_BOT]}),
    "pipelines": (
        *("GET", "/projects/1/merge_requests/5/pipelines", ""),
        [{"id": 7, "project_id": 1, "ref": "refs/merge-requests/5/head", "sha": SHA}],
    ),
    "jobs": (
        *("GET", "/projects/1/pipelines/7/jobs", ""),
        [{"id": 70, "name": "preview:dev", "status": "success", "web_url": f"{_LINK}/jobs/70"}],
    ),
    "artifact": ("GET", "/projects/1/jobs/70/artifacts/plan.json", "", json.loads(text_of_plan())),
    "me": ("GET", "/user", "", _BOT),
    "notes": (
        *("GET", "/projects/1/merge_requests/5/notes", ""),
        [{"id": 9, "body": f"{_MARKER}\nold", "system": False, "author": _BOT}],
    ),
    "edited": ("PUT", "/projects/1/merge_requests/5/notes/9", "", {"id": 9, "body": "new"}),
}
ANSWERS: dict[str, Any] = {name: route[3] for name, route in _ROUTES.items()}

Ran = tuple[int, str, str]
Answer = Callable[[dict[str, Any]], Iterable[bytes] | Response | None]


class HostileGitlab:
    """`changed` has other bodies by name, as JSON; `answer` may answer in the place of it all, or return None."""

    name = "hostile"

    def __init__(self) -> None:
        self.changed: dict[str, Any] = {}
        self.answer: Answer | None = None
        self.asked: list[str] = []
        self.unknown: list[str] = []
        self.failed: list[Exception] = []
        self.listener = Listener(cast(Service, self))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            return self._answered(environ, start_response)
        except Exception as error:  # a mistake of the test's: it would pass for a server that fails
            self.failed.append(error)
            raise

    def _answered(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = str(environ["REQUEST_URI"]).partition("?")[0].removeprefix("/api/v4").replace("%2E", ".")
        state = parse_qs(environ["QUERY_STRING"]).get("state", [""])[0]
        wanted = (environ["REQUEST_METHOD"], path)
        found = (n for n, r in _ROUTES.items() if (r[0], r[1]) == wanted and r[2] in ("", state))
        name = next(found, "")
        self.asked.append(name)
        if self.answer is not None and (given := self.answer(environ | {"answer": name})) is not None:
            return given(environ, start_response) if isinstance(given, Response) else given
        if not name:
            self.unknown.append(" ".join(wanted))
        body = self.changed.get(name, ANSWERS.get(name))
        return Response(json.dumps(body), 200 if name else 404, content_type="application/json")(
            environ, start_response
        )

    @contextlib.contextmanager
    def answering(self, answer: Answer | None = None, **changed: Any) -> Iterator[None]:
        self.answer, self.changed, self.asked = answer, changed, []
        try:
            yield
        finally:
            self.answer, self.changed = None, {}


class Tools:
    """The tools that ask GitLab, as jobs call them: by their `main`, with the token in the environment."""

    def __init__(self, gitlab: HostileGitlab, folder: Path) -> None:
        self.gitlab = gitlab
        self.waits: list[float] = []
        self.pulumi = FakePulumi(folder / "bin")
        self.pulumi.does("preview", UNCHANGED, plan=text_of_plan())
        self.pulumi.does("up", UNCHANGED)
        self.environ = {
            "HOME": str(folder), "PATH": self.pulumi.path, "PRIVATE_TOKEN": TOKEN,
            "CI_API_V4_URL": f"{gitlab.listener.url}/api/v4", "CI_PROJECT_ID": "1",
            "CI_COMMIT_REF_NAME": "main", "CI_COMMIT_BRANCH": "main", "CI_COMMIT_SHA": SHA, "TARGET_BRANCH": "preprod",
            "GITLAB_USER_MAILINGLIST_ID": "2", "PROMOTION_REVIEWERS": "@bot", "CI_PIPELINE_SOURCE": "push",
            "CI_MERGE_REQUEST_IID": "5", "CI_MERGE_REQUEST_PROJECT_ID": "1", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1",
        }  # fmt: skip

    def run(self, tool: str) -> Ran:
        """Exit code, standard output, standard error."""
        self.waits.clear()
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = self._main(tool)
        assert self.gitlab.failed == []
        return code, out.getvalue(), err.getvalue()

    def _main(self, tool: str) -> int:
        match tool:
            case "promote":  # one is open already
                return promote.main([], self.environ)
            case "open":
                self.gitlab.changed.setdefault("open", [])
                return promote.main([], self.environ)
            case "deploy":
                return deploy.main(["--stack=dev"], self.environ)
        return preview_report.main([f"--preview=dev={SAMPLES / 'same.json'}", "--post"], self.environ)


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    """For a module, so that properties can be tested with them; `waits` has what they would have waited between tries."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("NO_PROXY", "127.0.0.1")
        made = Tools(HostileGitlab(), tmp_path_factory.mktemp("tools"))
        patched.setattr("gitlab.utils.time.sleep", made.waits.append)
        yield made
        made.gitlab.listener.close()


# Which answers each tool asks for.
ASKED = {
    "promote": ("project", "source", "target", "merged", "commits", "user", "users", "open", "updated"),
    "open": ("project", "source", "target", "merged", "commits", "user", "users", "open", "created"),
    "deploy": ("merged", "pipelines", "jobs", "artifact"),
    "report": ("me", "notes", "edited"),
}
# Each answer by a tool that asks for it; the one of `open` asks as `promote` does until it makes one.
PAIRS = [(tool, name) for tool, names in ASKED.items() for name in names if tool != "open" or name == "created"]


def is_clear(ran: Ran) -> str:
    """Checks that a tool succeeded, or that it says in one line what is wrong and how to go on; that line."""
    code, out, err = ran
    shown = out + err
    assert code in (0, 1), shown
    assert "Traceback" not in shown
    assert TOKEN not in shown
    if code == 0:
        assert not [line for line in err.splitlines() if not line.startswith("warning: ")], err
        return ""
    assert err.startswith("error: "), err
    assert err.count("\n") == 1, err
    assert re.search(r"Fix: |Make it with: ", err), err
    return err
