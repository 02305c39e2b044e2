"""The area `GitLab`: the token, the instance, the projects and the user that the settings name.

Owns what is asked, and in which order: only reads, by the client that the repair uses. Does not own the rules
(`gitlab_rules`), nor what is said where GitLab refuses or cannot be reached (`ci.gitlab_client`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import gitlab
import requests

from ci.gitlab_answers import AnswerError
from doctor.clock import Clocks
from doctor.gitlab_rules import (
    RENEW,
    Record,
    branch_check,
    edition_check,
    gives_tokens_by_plan,
    may_read,
    project_check,
    promotion_token_check,
    runners_address_check,
    scope_check,
    token_expiry_check,
    usable_address,
    user_check,
    version_check,
)
from doctor.stack_file import NEED_SETTINGS, StackFile
from doctor.verdicts import Check, skipped, unknown, wrong
from repair.services import GITLAB_COM, services


@dataclass(frozen=True, kw_only=True)
class GitlabArea:
    environment: Mapping[str, str]
    file: StackFile
    stack: str
    clocks: Clocks

    def checks(self) -> Iterator[Check]:
        """CiError: GitLab refuses the token, or cannot be reached."""
        if not self.environment.get("GITLAB_TOKEN"):
            yield wrong("GITLAB_TOKEN is not set: must hold an access token, or GitLab refuses every request", RENEW)
            return
        if not usable_address(self._address):
            yield wrong(  # without the value: it could hold a password
                "GITLAB_BASE_URL must be http(s)://HOST/api/v4/ with nothing of a user in it, or no request can be sent",
                "export GITLAB_BASE_URL=https://gitlab.example.com/api/v4/, or unset it for GitLab.com",
            )
            return
        with services(self.environment) as found:
            client = found.gitlab
            client.session.hooks["response"].append(self._note)
            token = _token(client)
            yield from _token_checks(token)
            if token is not None and not may_read(token):
                yield skipped("instance and projects: the token must have the scope api first")
                return
            me = found_at(client, "/user") or {}
            yield from self._instance_checks(client)
            if self.file.settings is None:
                yield skipped(f"projects, branches and users: {NEED_SETTINGS}")
                return
            yield from self._settings_checks(client, administrator=me.get("is_admin") is True)

    @property
    def _address(self) -> str:
        return self.environment.get("GITLAB_BASE_URL") or GITLAB_COM

    def _note(self, answer: requests.Response, *_: Any, **__: Any) -> None:
        self.clocks.note("GitLab", answer.headers.get("Date"))

    def _instance_checks(self, client: gitlab.Gitlab) -> Iterator[Check]:
        metadata = found_at(client, "/metadata")
        if metadata is None:
            yield unknown("GitLab's version and edition: it does not tell them, as it does from 15.2 on")
            return
        yield version_check(metadata)
        if self.file.settings is not None:
            yield edition_check(metadata, self.file.settings.gitlab.enterprise, self.stack)

    def _settings_checks(self, client: gitlab.Gitlab, *, administrator: bool) -> Iterator[Check]:
        assert self.file.settings is not None
        wanted = self.file.settings.gitlab
        if found := runners_address_check(wanted.url, self._address, self.stack):
            yield found
        yield from self._project_checks(client, administrator=administrator)
        number = wanted.mailing_list_user_id
        yield user_check(number, found_at(client, f"/users/{number}"), self.stack)

    def _project_checks(self, client: gitlab.Gitlab, *, administrator: bool) -> Iterator[Check]:
        assert self.file.settings is not None
        wanted = self.file.settings.gitlab
        paths = dict.fromkeys((*wanted.projects, *filter(None, [wanted.operations_project])))
        for path in paths:
            project = found_at(client, f"/projects/{quote(path, safe='')}")
            yield project_check(path, project, administrator=administrator)
            if project is not None:
                branch = f"/projects/{project.get('id')}/repository/branches/{quote(wanted.branch.name, safe='')}"
                yield branch_check(path, wanted.branch.name, found_at(client, branch))
                if wanted.promotion_token.enabled and path in wanted.projects and gives_tokens_by_plan(self._address):
                    yield promotion_token_check(path, _namespace(client, project), self.stack)


def _token(client: gitlab.Gitlab) -> Record | None:
    """What the token says of itself; None where it is of another kind, such as OAuth's."""
    try:
        return found_at(client, "/personal_access_tokens/self")
    except gitlab.GitlabHttpError as error:
        if error.response_code != requests.codes.bad_request:
            raise
        return None


def _namespace(client: gitlab.Gitlab, project: Record) -> Record | None:
    told = project.get("namespace")
    number = told.get("id") if isinstance(told, dict) else None
    return found_at(client, f"/namespaces/{number}") if isinstance(number, int) else None


def _token_checks(token: Record | None) -> Iterator[Check]:
    if token is None:
        yield unknown("the token's scopes and its end: GitLab tells them of access tokens only")
        return
    yield scope_check(token)
    yield token_expiry_check(token, datetime.now(UTC))


def found_at(client: gitlab.Gitlab, path: str) -> Record | None:
    """The record there; None where there is none that the token may see."""
    try:
        answer = client.http_get(path)
    except gitlab.GitlabHttpError as error:
        if error.response_code == requests.codes.not_found:
            return None
        raise
    if not isinstance(answer, dict):
        raise AnswerError("a record is no object")
    return answer
