"""The area `Scaleway`: whose key it is, how long it lasts, whether it is the account's, and what it may do.

Owns the order, and what is said where Scaleway refuses. The rules are in `account_rules` and `scaleway_permissions`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import requests
import scaleway

from account_rules import Credentials, problems, taken
from doctor.clock import Clocks
from doctor.expiry import expiry_check
from doctor.scaleway_api import NOT_SEEN, ScalewayApi, expires_at
from doctor.scaleway_permissions import PROJECT_SETS, Project, permission_checks
from doctor.stack_file import NEED_SETTINGS, StackFile
from doctor.verdicts import Check, of_problem, ok, skipped, unknown, wrong
from repair.services import services
from settings import Settings

_USE: Final = (
    "export SCW_ACCESS_KEY=… SCW_SECRET_KEY=… SCW_DEFAULT_ORGANIZATION_ID=… SCW_DEFAULT_PROJECT_ID=…, or scw init"
)
_RENEW: Final = "make another key and use it: https://console.scaleway.com/iam/api-keys"


@dataclass(frozen=True, kw_only=True)
class ScalewayArea:
    environment: Mapping[str, str]
    file: StackFile
    clocks: Clocks

    def checks(self) -> Iterator[Check]:
        with services(self.environment) as found:
            client = found.scaleway
            if not client.access_key or not client.secret_key:
                yield wrong("there are no Scaleway credentials: there must be, or nothing can be asked or made", _USE)
                return
            try:
                client.validate()
            except ValueError:  # without its text, which quotes the key
                yield wrong(
                    "the Scaleway credentials (SCW_…) are not well-formed: must be as Scaleway gave them, or none is used",
                    _USE,
                )
                return
            try:
                yield from self._of_key(ScalewayApi(client, self.clocks), client)
            except scaleway.ScalewayException as error:
                yield refused(error.status_code)
            except requests.RequestException as error:
                yield unreachable(client.api_url, error)

    def _of_key(self, api: ScalewayApi, client: Any) -> Iterator[Check]:
        key, owner = None, False
        try:
            key = api.key()
        except scaleway.ScalewayException as error:
            if error.status_code not in NOT_SEEN:
                raise
            yield unknown("whose key it is: the key may not look at itself")
        if key is not None:
            owner = bool(key.user_id) and _owner(api, key.user_id)
            kind, bearer = ("user", key.user_id) if key.user_id else ("application", key.application_id)
            yield ok(f"the key is that of the {kind} {bearer}" + (", the organization's owner" if owner else ""))
            yield expiry_check("the key", expires_at(key), datetime.now(UTC), _RENEW, soon_is_wrong=False)
        organization_id = None
        if not client.default_project_id:
            yield wrong(
                "the Scaleway credentials have no default project: must have one, or it is not known whose they are",
                "export SCW_DEFAULT_PROJECT_ID=…",
            )
        else:
            organization_id = api.organization_of(client.default_project_id)
            yield from self._of_account(api, client, organization_id)
        yield from self._of_permissions(api, key, organization_id, owner=owner)

    def _of_account(self, api: ScalewayApi, client: Any, organization_id: str | None) -> Iterator[Check]:
        if organization_id is None:
            yield wrong(
                f"the default project, {client.default_project_id}, must be one that the credentials may see, or it is not "
                "known whose they are",
                "export SCW_DEFAULT_PROJECT_ID=… of the same organization as SCW_ACCESS_KEY, SCW_SECRET_KEY",
            )
            return
        if self.file.settings is None:
            yield skipped(f"account: {NEED_SETTINGS}")
            return
        found = Credentials(
            project_id=client.default_project_id,
            organization_id=organization_id,
            configured_organization_id=client.default_organization_id or "",
        )
        organizations = {each: api.organization_of(each) for each in taken(self.file.settings).values()}
        wrong_ones = list(problems(self.file.settings, found, organizations))
        yield from (of_problem(each, self.file.name) for each in wrong_ones)
        if not wrong_ones:
            yield ok(f"organization {organization_id}, default project {found.project_id}: as the settings say")

    def _of_permissions(
        self, api: ScalewayApi, key: Any, organization_id: str | None, *, owner: bool
    ) -> Iterator[Check]:
        if owner:
            yield ok("may do all: the organization's owner needs no policy")
        elif key is None or organization_id is None:
            yield unknown("what the key may do: it is not known whose it is")
        elif self.file.settings is None:
            yield skipped(f"permissions: {NEED_SETTINGS}")
        else:
            try:
                grants = list(api.grants(key, organization_id))
                projects = list(_projects(api, self.file.settings, organization_id))
            except scaleway.ScalewayException as error:
                if error.status_code not in NOT_SEEN:
                    raise
                yield unknown("what the key may do: it may not read its bearer's policies, as IAMManager could")
            else:
                yield from permission_checks(grants, projects)
                if self.file.settings.projects.devops is None:
                    yield unknown("what the key may do in the project of the cluster: another stack owns it")


def _owner(api: ScalewayApi, user_id: str) -> bool:
    try:
        return api.is_owner(user_id)
    except scaleway.ScalewayException as error:
        if error.status_code in NOT_SEEN:
            return False
        raise


def _projects(api: ScalewayApi, settings: Settings, organization_id: str) -> Iterator[Project]:
    for key in PROJECT_SETS:
        project = getattr(settings.projects, key)
        if project is None:  # a guest of another stack's cluster has none for it
            continue
        found = project.id or api.project_named(project.name, organization_id)
        yield Project(key=key, label=project.name or project.id, id=found)


def refused(status: int) -> Check:
    if status in (401, 403):
        return wrong(
            f"Scaleway refuses the key ({status}): must be valid, neither expired nor deleted, or nothing can be made",
            _USE,
        )
    return wrong(f"Scaleway fails ({status}): must answer, or nothing can be asked or made", "run it again later")


def unreachable(url: str, error: Exception) -> Check:
    return wrong(
        f"Scaleway cannot be reached ({type(error).__name__}): must be, or nothing can be asked or made",
        f"curl {url}/account/v3/projects from here; a proxy belongs in HTTPS_PROXY, and SCW_API_URL is not to be set",
    )
