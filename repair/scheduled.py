"""Secrets that the state holds and that Scaleway is to delete: one of them is restored, so that the state is true again.

A deletion in Secret Manager is a wish: for days the secret can be looked at, and used for nothing. Where the answer to
that wish was lost, or somebody wished it by hand, the state goes on holding the secret, and each update and each
destruction fails on it. (That a second deletion is refused, too, is how the sandbox plays it; no recording tells.)

Owns finding and restoring them. Does not own the steps (`steps`).
Source: Scaleway, "Secret Manager": scheduled deletion, RestoreSecret.
"""

from collections.abc import Iterable, Iterator

import scaleway
from scaleway.secret.v1beta1 import SecretV1Beta1API

from repair.resources import Resource
from repair.services import Services

SECRET = "scaleway:secrets/secret:Secret"  # noqa: S105 - the type's name
_GONE = 404


def scheduled(services: Services, resources: Iterable[Resource]) -> Iterator[Resource]:
    """Of the state's secrets, those that are to be deleted. One that is gone for good, the engine's refresh tells."""
    for each in resources:
        if each.type == SECRET and each.made:
            region, _, secret_id = each.id.rpartition("/")
            try:
                found = SecretV1Beta1API(services.scaleway).get_secret(secret_id=secret_id, region=region)
            except scaleway.ScalewayException as error:
                if error.status_code == _GONE:
                    continue
                raise
            if found.deletion_requested_at is not None:
                yield each


def restore(services: Services, resource: Resource) -> None:
    region, _, secret_id = resource.id.rpartition("/")
    SecretV1Beta1API(services.scaleway).restore_secret(secret_id=secret_id, region=region)
