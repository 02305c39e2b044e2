"""How pipeline tools reach GitLab: its address, the token, and what is said when either is wrong.

Owns the client with its time limits and retries, and the wording of what any request may meet: 401, 403, an address where
no GitLab answers. The token comes from a variable only (a flag would show it to every process) and is never printed.

Does not own what tools ask for, nor the errors that mean something to one of them (a project, a branch, a conflict), nor
the limits on the way (`gitlab_transport`) and on what an answer holds (`gitlab_answers`).
Source: GitLab, "REST API authentication", "Rate limits"; python-gitlab, "API usage".
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import gitlab
import requests

from ci.errors import CiError
from ci.gitlab_answers import AnswerError
from ci.gitlab_transport import ElsewhereError, LimitError, session

TOKEN = "PRIVATE_TOKEN"  # noqa: S105 - the name of a variable
TIMEOUT = 30  # seconds
RETRIES = 5  # after 429, 5xx or no answer: waits of 0.1 to 1.6 s, or as long as Retry-After says, within limits
_API = "/api/v4"
_LONGEST_REASON = 200


class _Client(gitlab.Gitlab):
    def http_request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """As python-gitlab's, which would try ten times more and for minutes."""
        kwargs.setdefault("max_retries", RETRIES)
        return super().http_request(*args, **kwargs)


@contextmanager
def connect(
    environment: Mapping[str, str],
    *,
    url: str | None = None,
    role: str,
    variable: str = TOKEN,
    most_requests: int | None = None,
) -> Iterator[gitlab.Gitlab]:
    """A client for the block. What goes wrong in there and is nobody else's to explain becomes a CiError.

    `url` goes before CI_API_V4_URL and CI_SERVER_URL. `role` is the least that the token needs in the project; `variable`
    holds the token. `most_requests` is for who asks more often than `gitlab_transport` lets tools ask.
    """
    server, token = _server(environment, url), _token(environment, variable)
    client = _Client(
        server,
        private_token=token,
        timeout=TIMEOUT,
        retry_transient_errors=True,
        keep_base_url=True,  # a page's link names the host that GitLab takes itself for
        session=session(server, most_requests),
    )
    with client:
        try:
            yield client
        # JSON that is nested too deeply ends so; python-gitlab catches that of answers, and not that of errors.
        except (gitlab.GitlabError, requests.RequestException, RecursionError) as error:
            message = _explained(error, server, role, token, variable)
            raise CiError(message.replace(token, "[secret]")) from None


def _server(environment: Mapping[str, str], url: str | None) -> str:
    given = url or environment.get("CI_API_V4_URL") or environment.get("CI_SERVER_URL") or ""
    if not given:
        raise CiError(
            "GitLab's address is not known: CI_API_V4_URL or CI_SERVER_URL must be set, as in every job, or no request "
            "can be sent. Fix: --url https://gitlab.example.com"
        )
    server = given.strip().rstrip("/").removesuffix(_API)
    try:
        parts = urlsplit(server)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
        _ = parts.port  # raises when it is no number
    except ValueError:
        usable = False
    if not usable or not re.fullmatch(r"[!-~]+", server):
        raise CiError(  # without the value: it could hold a password
            "GitLab's address (--url, CI_API_V4_URL or CI_SERVER_URL) must be http(s)://HOST with nothing of a user in it, "
            "or no request can be sent. Fix: --url https://gitlab.example.com"
        )
    return server


def _token(environment: Mapping[str, str], variable: str) -> str:
    token = environment.get(variable, "").strip()
    if not token:
        raise CiError(
            f"{variable} is not set: it must hold an access token, or GitLab refuses every request. Fix: in a pipeline, run "
            "the job on a protected branch and name its `environment:`, because the variable is only there; "
            f"by hand, export {variable}=…"
        )
    if not re.fullmatch(r"[!-~]+", token):
        raise CiError(
            f"{variable} holds characters that no token has: it must be the token and nothing else, or GitLab refuses every "
            f"request. Fix: set {variable} anew, in one line"
        )
    return token


def _explained(error: Exception, server: str, role: str, token: str, variable: str) -> str:
    if isinstance(error, gitlab.RedirectError | ElsewhereError):
        return (
            f"{server} sends requests elsewhere: the address must be GitLab's own, or changes get lost on the way. "
            "Fix: give the address that a browser ends at (https, not http)"
        )
    if isinstance(error, LimitError):
        return (
            f"{server} goes on and on ({error}): it must come to an end, or the job does not. Fix: look at what stands "
            f"between the job and GitLab, such as a proxy, with curl {server}{_API}/version"
        )
    if isinstance(error, AnswerError | RecursionError):
        why = error.error_message if isinstance(error, AnswerError) else "it is nested too deeply"
        return (
            f"{server} does not answer as GitLab's API does ({why}): nothing is done on a guess. "
            f"Fix: look at {server}{_API}/version, and at what stands between the job and GitLab, such as a proxy"
        )
    if not isinstance(error, gitlab.GitlabError):
        return _unreachable(error, server)
    status, reason = error.response_code, _reason(error, token)
    renew = "make a new one (project, Settings > Access tokens) or, where `pulumi up` makes it, run that"
    match status:
        case 401:
            return (
                f"{server} refuses {variable} ({reason}): it must hold a token that is valid, neither expired nor revoked, "
                f"or nothing can be read or changed. Fix: {renew}"
            )
        case 403 if "insufficient_scope" in str(error.error_message):
            return (
                f"{variable} may not do this ({reason}): its scope must be api, or GitLab refuses changes. Fix: {renew}"
            )
        case 403:
            return (
                f"{variable} may not do this ({reason}): its role in the project must be {role} or higher, "
                f"or GitLab refuses the change. Fix: {renew}"
            )
        case 429:
            return (
                f"{server} asks to wait ({reason}), also after {RETRIES} more tries: it limits how often it is asked, or it "
                "would be slow for all. Fix: run the job again in some minutes"
            )
        case int() if status >= 500:
            return (
                f"{server} fails ({reason}), also after {RETRIES} more tries: it must answer, or nothing can be read or "
                "changed. Fix: run the job again later"
            )
        case None:
            return (
                f"{server} does not answer as GitLab's API does: the address must be GitLab's own, or nothing can be read. "
                f"Fix: look at {server}{_API}/version"
            )
        case _:
            return f"{server} refuses the request ({reason}). Fix: mend what it names and run again"


def _unreachable(error: Exception, server: str) -> str:
    fix = f"curl {server}{_API}/version from the same place; a proxy belongs in HTTPS_PROXY"
    if isinstance(error, requests.exceptions.SSLError):
        why, fix = "its certificate is not trusted", 'export REQUESTS_CA_BUNDLE="$CI_SERVER_TLS_CA_FILE"'
    elif isinstance(error, requests.Timeout):
        why = f"no answer within {TIMEOUT} s"
    elif isinstance(error, requests.exceptions.ChunkedEncodingError):
        why = "its answer breaks off"
    elif isinstance(error, requests.ConnectionError):
        why = "no connection"
    else:
        why = type(error).__name__  # its text could hold more than should be shown
    return (
        f"{server} cannot be reached ({why}): the job must reach GitLab, or nothing can be read or changed. Fix: {fix}"
    )


def _reason(error: gitlab.GitlabError, token: str) -> str:
    """The status with what GitLab says of it, in one line. The token is replaced before it could be cut into a part."""
    try:
        text = str(error.error_message)
        with suppress(ValueError, AttributeError):  # an answer of a proxy, or none
            text = str(json.loads(error.response_body or b"").get("error_description") or text)
    except RecursionError:
        text = "what it says is nested too deeply"
    text = text.replace(token, "[secret]")
    if str(error.response_code) not in text:
        text = f"{error.response_code}: {text}"
    return text if len(text) <= _LONGEST_REASON else text[: _LONGEST_REASON - 1] + "…"
