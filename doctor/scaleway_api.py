"""What is asked of Scaleway: only reads, by the client that the repair uses.

Owns the requests, what of an answer is kept, and noting down the clock. Does not own what is right (`scaleway_*`). The SDK
has no time limit of its own: `repair.services` has one for each answer, `asking` one for all.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import scaleway
from scaleway.account.v3 import AccountV3ProjectAPI
from scaleway.iam.v1alpha1 import IamV1Alpha1API

from doctor.clock import Clocks
from doctor.scaleway_permissions import Grant

NOT_SEEN = (403, 404)  # all that Scaleway tells of what the key may not see


class ScalewayApi:
    """For one client, whose credentials are well-formed."""

    def __init__(self, client: Any, clocks: Clocks) -> None:
        self._client = client
        self._iam, self._account = _noting(IamV1Alpha1API(client), clocks), _noting(AccountV3ProjectAPI(client), clocks)

    def key(self) -> Any:
        """The key in use: user_id or application_id, and expires_at."""
        return self._iam.get_api_key(access_key=self._client.access_key)

    def is_owner(self, user_id: str) -> bool:
        return str(self._iam.get_user(user_id=user_id).type_) == "owner"

    def organization_of(self, project_id: str) -> str | None:
        """None where the key may not see the project."""
        return seen(lambda: str(self._account.get_project(project_id=project_id).organization_id))

    def project_named(self, name: str, organization_id: str) -> str | None:
        """The id of the project; None where there is none."""
        listed = self._account.list_projects_all(organization_id=organization_id, name=name)
        return next((str(each.id) for each in listed if each.name == name), None)

    def grants(self, key: Any, organization_id: str) -> Iterator[Grant]:
        """The rules of the policies of the key's bearer, and of the groups that he is in."""
        bearer = {"user_ids": [key.user_id]} if key.user_id else {"application_ids": [key.application_id]}
        place = {"organization_id": organization_id}
        policies = list(self._iam.list_policies_all(**bearer, **place))
        if groups := [group.id for group in self._iam.list_groups_all(**bearer, **place)]:
            policies += self._iam.list_policies_all(group_ids=groups, **place)
        for policy in policies:
            for rule in self._iam.list_rules_all(policy_id=policy.id):
                yield Grant(
                    sets=frozenset(rule.permission_set_names or ()),
                    projects=None if rule.organization_id else frozenset(rule.project_ids or ()),
                    condition=rule.condition or "",
                )


def seen(ask: Callable[[], str]) -> str | None:
    """What is asked for; None where the key may not see it."""
    try:
        return ask()
    except scaleway.ScalewayException as error:
        if error.status_code in NOT_SEEN:
            return None
        raise


def expires_at(key: Any) -> datetime | None:
    """With its zone; None is never."""
    found = key.expires_at
    return found if isinstance(found, datetime) else None


def _noting(api: Any, clocks: Clocks) -> Any:
    """The same, with the clock of each answer noted down; the SDK keeps the answer's headers to itself."""
    ask = api._request

    def request(*arguments: Any, **more: Any) -> Any:
        answer = ask(*arguments, **more)
        clocks.note("Scaleway", answer.headers.get("Date"))
        return answer

    api._request = request
    return api
