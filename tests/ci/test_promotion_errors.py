"""A promotion that cannot be: one line on standard error with rule and fix, a code other than 0, and no traceback."""

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
import requests
from werkzeug.wrappers import Response

import ci.promotion
from ci.gitlab_client import RETRIES
from sandbox.gitlab.auth import TOKENS
from sandbox.web import Listener, Service
from tests.ci.conftest import Job

RENEW = "make a new one (project, Settings > Access tokens) or, where `pulumi up` makes it, run that"


def _said(job: Job, *arguments: str, **variables: str | None) -> str:
    """The one line, when nothing else was said and nothing was opened."""
    code, out, err = job.run(*arguments, **variables)
    assert (code, out, err.count("\n"), err[:7]) == (1, "", 1, "error: ")
    assert job.token not in err
    assert job.open() == []
    return err[7:-1]


# --- the token --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, "", " "])
def test_no_token(job: Job, value: str | None) -> None:
    assert _said(job, PRIVATE_TOKEN=value) == (
        "PRIVATE_TOKEN is not set: it must hold an access token, or GitLab refuses every request. Fix: in a pipeline, run "
        "the job on a protected branch and name its `environment:`, because the variable is only there; by hand, export "
        "PRIVATE_TOKEN=…"
    )


@pytest.mark.parametrize("value", ["glpat-one\nglpat-two", "glpat-é", "glpat-a b"])
def test_a_token_that_is_none(job: Job, value: str) -> None:
    said = _said(job, PRIVATE_TOKEN=value)
    assert said.startswith("PRIVATE_TOKEN holds characters that no token has:")
    assert "glpat" not in said


def test_a_token_with_a_line_end_works(job: Job) -> None:
    assert job.run(PRIVATE_TOKEN=job.token + "\n")[0] == 0


def test_a_wrong_token(job: Job) -> None:
    assert _said(job, PRIVATE_TOKEN="glpat-wrong-wrong-wrong") == (
        f"{job.instance.listener.url} refuses PRIVATE_TOKEN (401 Unauthorized): it must hold a token that is valid, neither "
        f"expired nor revoked, or nothing can be read or changed. Fix: {RENEW}"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"expires_at": "2026-01-01"}, "Token is expired. You can either do re-authorization or token refresh."),
        ({"revoked": True}, "Token was revoked. You have to re-authorize from the user."),
    ],
)
def test_a_token_whose_time_is_over(job: Job, change: dict[str, Any], reason: str) -> None:
    store = job.instance.store
    record = next(t for t in store.all(TOKENS) if t["name"] == "bot")
    store.put(TOKENS, record["id"], record | change)
    assert f"refuses PRIVATE_TOKEN (401: {reason}): it must hold" in _said(job)


def test_a_scope_that_is_too_small(job: Job) -> None:
    job.commit("main")
    reader = job.instance.project_token(level=30, scopes=("read_api",))["token"]
    reason = "403: The request requires higher privileges than provided by the access token."
    assert _said(job, PRIVATE_TOKEN=reader) == (
        f"PRIVATE_TOKEN may not do this ({reason}): its scope must be api, or GitLab refuses changes. Fix: {RENEW}"
    )
    no_reader = job.instance.project_token(level=30, scopes=("self_rotate",))["token"]
    assert "its scope must be api" in _said(job, PRIVATE_TOKEN=no_reader)


@pytest.mark.parametrize("level", [10, 20])
def test_a_role_that_is_too_low(job: Job, level: int) -> None:
    job.commit("main")
    guest = job.instance.project_token(level=level)["token"]
    assert _said(job, PRIVATE_TOKEN=guest) == (
        "PRIVATE_TOKEN may not do this (403 Forbidden): its role in the project must be Developer or higher, or GitLab "
        f"refuses the change. Fix: {RENEW}"
    )


# --- project, branches, people ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("project", ["999", "acme/none", "a/b\x1b[2J/c"])
def test_a_project_that_is_not_seen(job: Job, project: str) -> None:
    shown = project.replace("\x1b", " ")
    assert _said(job, "--project", project) == (
        f"GitLab shows no project {shown} (404): it must exist and PRIVATE_TOKEN must be of a member, or there is nothing "
        "to promote in. Fix: --project GROUP/PROJECT, or a token of that project"
    )


def test_a_target_that_is_missing(job: Job) -> None:
    url = f"{job.instance.listener.url}/acme/app/-/branches/new?branch_name=live%2Feu&ref=main"
    assert _said(job, TARGET_BRANCH="live/eu") == (
        "acme/app has no branch live/eu: the target must exist, or nothing can be merged to it. "
        f"Fix: git push origin origin/main:refs/heads/live/eu, or {url}"
    )
    assert "git push origin 'origin/main:refs/heads/a;b', or" in _said(job, TARGET_BRANCH="a;b")


def test_a_source_that_is_missing(job: Job) -> None:
    assert _said(job, CI_COMMIT_REF_NAME="v1.0") == (
        "acme/app has no branch v1.0: the source must exist, or there is nothing to promote. "
        f"Fix: --source BRANCH, one of {job.instance.listener.url}/acme/app/-/branches"
    )


def test_source_and_target_are_one(job: Job) -> None:
    assert _said(job, "--target", "main").startswith("source and target are both main: ")


@pytest.mark.parametrize(
    ("variables", "who"),
    [
        ({"GITLAB_USER_MAILINGLIST_ID": "999"}, "999 (GITLAB_USER_MAILINGLIST_ID)"),
        ({"PROMOTION_REVIEWERS": "alice, @nobody"}, "@nobody (PROMOTION_REVIEWERS)"),
    ],
)
def test_somebody_who_is_nobody(job: Job, variables: dict[str, str | None], who: str) -> None:
    job.commit("main")
    assert _said(job, **variables) == (
        f"GitLab has no user {who}: who is asked must exist, or nobody looks at the promotion. "
        f"Fix: give an id, or a name as {job.instance.listener.url}/NAME shows it"
    )


# --- the server -------------------------------------------------------------------------------------------------------


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr("gitlab.utils.time.sleep", found.append)
    return found


class _Failing:
    """The stand-in behind a server that gives these answers first."""

    name = "failing"

    def __init__(self, service: Service, answers: Iterable[Response]) -> None:
        self._service, self._answers = service, iter(answers)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer = next(self._answers, None)
        return (answer or self._service)(environ, start_response)


@contextmanager
def _failing(job: Job, *answers: Response) -> Iterator[str]:
    listener = Listener(cast(Service, _Failing(job.instance.service, answers)))
    yield f"{listener.url}/api/v4"
    listener.close()


def _answer(status: int, **headers: str) -> Response:
    return Response("<html>no</html>", status, content_type="text/html", headers=headers)


def test_a_server_that_recovers(job: Job, waits: list[float]) -> None:
    job.commit("main")
    with _failing(job, _answer(502), _answer(429, **{"Retry-After": "7"}), _answer(503)) as url:
        code, out, err = job.run(CI_API_V4_URL=url)
    assert (code, err, waits) == (0, "", [0.1, 7, 0.4])
    assert out.startswith("opened !1: main → preprod")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            503,
            "fails (503: <html>no</html>), also after 5 more tries: it must answer, or nothing can be read or changed.",
        ),
        (429, "asks to wait (429: <html>no</html>), also after 5 more tries: it limits how often it is asked,"),
    ],
)
def test_a_server_that_does_not_recover(job: Job, waits: list[float], status: int, said: str) -> None:
    with _failing(job, *[_answer(status) for _ in range(RETRIES + 1)]) as url:
        assert said in _said(job, CI_API_V4_URL=url)
    assert len(waits) == RETRIES


def test_a_server_that_is_no_gitlab(job: Job, waits: list[float]) -> None:
    with _failing(job, _answer(200)) as url:
        assert "does not answer as GitLab's API does: the address must be GitLab's own" in _said(job, CI_API_V4_URL=url)
    with _failing(job, _answer(418)) as url:
        assert "refuses the request (418: <html>no</html>). Fix:" in _said(job, CI_API_V4_URL=url)


def test_a_change_is_never_sent_to_where_a_redirect_leads(job: Job) -> None:
    job.commit("main")

    class Moving(_Failing):
        def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            moved = Response("", 301, headers={"Location": f"{job.instance.listener.url}{environ['REQUEST_URI']}"})
            return (moved if environ["REQUEST_METHOD"] == "POST" else self._service)(environ, start_response)

    listener = Listener(cast(Service, Moving(job.instance.service, [])))
    assert "sends requests elsewhere: the address must be GitLab's own" in _said(job, "--url", listener.url)
    listener.close()


def test_pages_are_asked_of_the_given_address_whatever_their_links_say(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ci.promotion, "_PAGE", 1)
    for _ in range(3):
        job.commit("main")

    class Named(_Failing):
        def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            return self._service(environ | {"HTTP_HOST": "elsewhere.invalid"}, start_response)

    listener = Listener(cast(Service, Named(job.instance.service, [])))
    code, out, _ = job.run("--url", listener.url)
    listener.close()
    assert (code, out.splitlines()[1]) == (0, "  http://elsewhere.invalid/acme/app/-/merge_requests/1")
    assert [o for o, _ in job.instance.operations()].count("gitlab.Commits.list") == 3


def test_a_server_that_is_not_there(job: Job, waits: list[float]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        assert _said(job, "--url", url) == (
            f"{url} cannot be reached (no connection): the job must reach GitLab, or nothing can be read or changed. "
            f"Fix: curl {url}/api/v4/version from the same place; a proxy belongs in HTTPS_PROXY"
        )
    assert len(waits) == RETRIES


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (requests.exceptions.SSLError(), 'its certificate is not trusted): the job must reach GitLab, or nothing can be '
         'read or changed. Fix: export REQUESTS_CA_BUNDLE="$CI_SERVER_TLS_CA_FILE"'),
        (requests.Timeout(), "no answer within 30 s)"),
        (requests.TooManyRedirects(), "TooManyRedirects)"),
    ],
)  # fmt: skip
def test_other_reasons(
    job: Job, waits: list[float], monkeypatch: pytest.MonkeyPatch, error: Exception, why: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("gitlab._backends.DefaultBackend.http_request", fail)
        code, out, err = job.run()
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert f"cannot be reached ({why}" in err


@pytest.mark.parametrize(
    "url", ["gitlab.example.com", "ftp://x", "https://", "https://a:b@c", "http://[", "http://x:y", "https://x y"]
)
def test_an_address_that_is_none(job: Job, url: str) -> None:
    assert _said(job, "--url", url).startswith(
        "GitLab's address (--url, CI_API_V4_URL or CI_SERVER_URL) must be http(s)"
    )


def test_no_address(job: Job) -> None:
    assert _said(job, CI_API_V4_URL=None).startswith(
        "GitLab's address is not known: CI_API_V4_URL or CI_SERVER_URL must"
    )
    assert job.run(CI_API_V4_URL=None, CI_SERVER_URL=f"{job.instance.listener.url}/")[0] == 0


def test_the_token_is_never_shown_though_a_server_repeats_it(job: Job) -> None:
    with _failing(job, Response(f'{{"message": "no {job.token}"}}', 400, content_type="application/json")) as url:
        assert "refuses the request (400: no [secret])" in _said(job, CI_API_V4_URL=url)
