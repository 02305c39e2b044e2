"""Stand-in for the Scaleway APIs that the estate's program uses, so that it can be run without an account.

Owns the products' records and answers, worded as the real APIs word them: the real provider talks to it. The control
planes behind Kubernetes clusters are real ones, and are handed in. IAM is enforced: the owner's key may do everything, an
application's what its policies allow. Does not own what a kubeconfig's bearer may do in a cluster, nor Object Storage.

One module a product, its routes beside their handlers: account, iam (+ iam_groups, iam_policies, iam_ssh_keys, iam_users),
vpc (+ vpc_routing), k8s_* (clusters, pools, versions), secret_manager, registry, instance (+ instance_servers), ipam,
product_catalog, which is public. Every other request passes `access` first, which asks `operations` for the permission that
it needs, `permission_sets` for who has it, and `conditions` whether a rule applies. How long clusters and nodes take to come
is `pace`, whose routes are the sandbox's own.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Any

from sandbox.control_plane import ControlPlanes
from sandbox.requests import RequestLog
from sandbox.scaleway import (
    account,
    iam,
    iam_groups,
    iam_policies,
    iam_ssh_keys,
    iam_users,
    instance,
    instance_servers,
    ipam,
    k8s_versions,
    patience,
    product_catalog,
    registry,
    secret_manager,
    vpc,
    vpc_routing,
)
from sandbox.scaleway.access import Access, Clock, utc_now
from sandbox.scaleway.k8s_clusters import cluster_routes
from sandbox.scaleway.k8s_pools import pool_routes
from sandbox.scaleway.k8s_state import forget_deleted, resume
from sandbox.scaleway.seeding import SEED, Account, Wanted, seed
from sandbox.store import Store
from sandbox.web import Route, Service

__all__ = ["SEED", "Account", "Wanted", "make_service", "resume", "seed"]


class _Scaleway(Service):
    """Waits for what is about to happen, and forgets what has gone by then, before it answers."""

    def __init__(
        self,
        store: Store,
        planes: ControlPlanes,
        requests: RequestLog,
        routes: Iterable[Route],
        clock: Clock,
        wait_seconds: float,
    ) -> None:
        super().__init__("scaleway", store, routes, authenticate=Access(clock), requests=requests)
        self._planes, self._wait_seconds = planes, wait_seconds

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        patience.wait(
            self.store, self._planes, environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""), self._wait_seconds
        )
        with self.store.transaction():
            forget_deleted(self.store, self._planes)
        return super().__call__(environ, start_response)

    def failure(self, status: int, reason: str) -> Any:  # noqa: ARG002 - the base class names it
        return {"message": reason.lower(), "type": reason.lower().replace(" ", "_")}


def make_service(
    store: Store,
    planes: ControlPlanes,
    requests: RequestLog,
    extra: Iterable[Route] = (),
    *,
    clock: Clock = utc_now,
    wait_seconds: float = 0.0,
) -> Service:
    """The stand-in as a WSGI application; `extra` are the sandbox's own routes.

    `clock` is for keys' expiry and conditions on the time; the dates in records are the real ones. `wait_seconds` is for how
    long a question about a cluster or pool waits at most until that is in the state which it is about to have.
    """
    products = (
        *(account, iam, iam_groups, iam_policies, iam_ssh_keys, iam_users, instance, instance_servers, ipam),
        *(k8s_versions, product_catalog, registry, secret_manager, vpc, vpc_routing),
    )
    routes = chain(
        chain.from_iterable(product.routes for product in products), cluster_routes(planes), pool_routes(planes), extra
    )
    return _Scaleway(store, planes, requests, routes, clock, wait_seconds)
