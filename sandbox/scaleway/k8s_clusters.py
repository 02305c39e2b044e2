"""Stand-in for Scaleway's Kubernetes API (v1): clusters, their access lists and kubeconfigs.

Owns what a cluster's record says; behind it runs a real control plane, which `ControlPlanes` starts and stops. Does not
enforce access lists: a control plane of the sandbox listens on loopback only.
"""

import base64
import ipaddress
from collections.abc import Iterator
from typing import Any

from sandbox.control_plane import ControlPlaneError, ControlPlanes
from sandbox.scaleway import pace
from sandbox.scaleway.catalog import CLUSTER_TYPES, VERSIONS, upgrades
from sandbox.scaleway.common import (
    CLUSTERS,
    PRIVATE_NETWORKS,
    Fields,
    filtered,
    find,
    invalid,
    new_id,
    now,
    paged,
    permissions_denied,
    project_of,
    query_flag,
    region_of,
    shown,
    touched,
    transient_state,
)
from sandbox.scaleway.k8s_pools import add_pool, pool_from, upgrade_pool
from sandbox.scaleway.k8s_state import ACLS, POOLS, cluster_of_call, refresh_cluster
from sandbox.store import Record
from sandbox.web import Call, Routes

_RULE = "/k8s/v1/regions/<region>/clusters"
_CLUSTER_RULE = f"{_RULE}/<id>"

_AUTOSCALER = {
    "scale_down_disabled": False,
    "scale_down_delay_after_add": "10m",
    "estimator": "binpacking",
    "expander": "random",
    "ignore_daemonsets_utilization": False,
    "balance_similar_node_groups": False,
    "expendable_pods_priority_cutoff": 0,
    "scale_down_unneeded_time": "10m",
    "scale_down_utilization_threshold": 0.5,
    "max_graceful_termination_sec": 0,
    "skip_nodes_with_local_storage": False,
    "log_level": 2,
}
_OPEN_ID_CONNECT = {
    "issuer_url": "",
    "client_id": "",
    "username_claim": "",
    "username_prefix": "",
    "groups_claim": [],
    "groups_prefix": "",
    "required_claim": [],
}


def _live(call: Call, planes: ControlPlanes) -> Record:
    cluster = cluster_of_call(call, planes)
    if cluster["status"] == "deleting":
        raise transient_state("cluster", cluster["id"], "deleting")
    return cluster


def _merged(current: Record, wanted: Record) -> Record:
    """`wanted` over `current`; null and an enumeration's `unknown…` value leave a setting as it is."""
    given = {
        name: value
        for name, value in wanted.items()
        if name in current and value is not None and not str(value).startswith("unknown_")
    }
    return current | given


def _auto_upgrade(current: Record, wanted: Record) -> Record:
    """A request says `enable`, an answer says `enabled`."""
    window = _merged(current["maintenance_window"], wanted.get("maintenance_window") or {})
    enable = wanted.get("enable")
    return {"enabled": current["enabled"] if enable is None else bool(enable), "maintenance_window": window}


def _nested(call: Call, name: str) -> Record:
    Fields(call.body).nested(name)  # refuses what is not an object
    return call.body.get(name) or {}


def _version(name: str) -> str:
    if name not in VERSIONS:
        raise invalid("version", "constraint", f"must be one of {', '.join(VERSIONS)}")
    return name


def _type(name: str) -> str:
    if name not in CLUSTER_TYPES:
        raise invalid("type", "constraint", f"must be one of {', '.join(CLUSTER_TYPES)}")
    return name


def _network(name: str, text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise invalid(name, "format", f"{text} is not a network") from None


def _dns_ip(text: str, service_cidr: str) -> str:
    """The tenth address of the services, unless told."""
    services = ipaddress.ip_network(service_cidr)
    try:
        address = ipaddress.ip_address(text) if text else services[10]
    except (ValueError, IndexError):
        raise invalid("service_dns_ip", "format") from None
    if address not in services:
        raise invalid("service_dns_ip", "constraint", f"must be in {service_cidr}")
    return str(address)


def _new_cluster(call: Call) -> Record:
    fields, project, region = Fields(call.body), project_of(call, "kubernetes"), region_of(call)
    version = _version(fields.required("version"))
    cni = fields.text("cni") or "cilium"
    if cni not in VERSIONS[version].cnis:
        raise invalid("cni", "constraint", f"must be one of {', '.join(VERSIONS[version].cnis)}")
    kind = _type(fields.text("type") or "kapsule")
    network_id = None if kind.startswith("multicloud") else fields.required("private_network_id")
    if network_id is not None:  # nodes of several clouds have no network in common
        network = find(call, PRIVATE_NETWORKS, "private_network", network_id)
        if network["project_id"] != project["id"]:
            raise permissions_denied("private_network", "read")
    cluster_id, moment = new_id(), now()
    service_cidr = _network("service_cidr", fields.text("service_cidr") or "10.32.0.0/20")
    auto_upgrade = {"enabled": False, "maintenance_window": {"start_hour": 0, "day": "any"}}
    return {
        "region": region,
        "id": cluster_id,
        "organization_id": project["organization_id"],
        "project_id": project["id"],
        "created_at": moment,
        "updated_at": moment,
        "type": kind,
        "name": fields.required("name"),
        "description": fields.text("description"),
        "status": "creating",
        "version": version,
        "cni": cni,
        "tags": fields.texts("tags"),
        "cluster_url": f"https://{cluster_id}.api.k8s.{region}.scw.cloud:6443",
        "dns_wildcard": f"*.{cluster_id}.nodes.k8s.{region}.scw.cloud",
        "autoscaler_config": _merged(_AUTOSCALER, _nested(call, "autoscaler_config")),
        "auto_upgrade": _auto_upgrade(auto_upgrade, _nested(call, "auto_upgrade")),
        "upgrade_available": False,
        "feature_gates": fields.texts("feature_gates"),
        "admission_plugins": fields.texts("admission_plugins"),
        "open_id_connect_config": _merged(_OPEN_ID_CONNECT, _nested(call, "open_id_connect_config")),
        "apiserver_cert_sans": fields.texts("apiserver_cert_sans"),
        "private_network_id": network_id,
        "commitment_ends_at": moment,
        "acl_available": True,
        "iam_nodes_group_id": "",
        "pod_cidr": _network("pod_cidr", fields.text("pod_cidr") or "100.64.0.0/15"),
        "service_cidr": service_cidr,
        "service_dns_ip": _dns_ip(fields.text("service_dns_ip"), service_cidr),
        "_pool_required": True,
        "_served": False,
        "_security_group_id": new_id(),
        "_with_additional_resources": False,
        "_acls_changed": False,
        pace.HELD_UNTIL: pace.held_until(call.store, pace.CLUSTER),
    }


def _acl_rules(fields: Fields) -> Iterator[Record]:
    for wanted in fields.all_nested("acls"):
        rule: Record = {"id": new_id()}
        if wanted.flag("scaleway_ranges"):
            rule["scaleway_ranges"] = True
        else:
            rule["ip"] = _network("ip", wanted.required("ip"))
        yield rule | {"description": wanted.text("description")}


def _acl_order(rule: Record) -> tuple[bool, bytes]:
    """By address; Scaleway's own ranges last."""
    if "ip" not in rule:
        return True, b""
    return False, ipaddress.ip_network(rule["ip"]).network_address.packed


def cluster_routes(planes: ControlPlanes) -> Routes:
    """The routes of clusters, whose control planes are these."""
    routes = Routes()

    def changed(call: Call, cluster: Record, **changes: Any) -> Record:
        """Answers `updating`; the next request finds the cluster in its new state."""
        return shown(touched(call.store, CLUSTERS, cluster, **changes, status="updating"))

    @routes.post(_RULE, "k8s.CreateCluster")
    def create(call: Call) -> Record:
        cluster = _new_cluster(call)
        pools = [pool_from(wanted, cluster) for wanted in Fields(call.body).all_nested("pools")]
        call.store.put(CLUSTERS, cluster["id"], cluster)
        everywhere = {"id": new_id(), "ip": "0.0.0.0/0", "description": "", "_cluster_id": cluster["id"]}
        call.store.put(ACLS, everywhere["id"], everywhere)
        planes.start(cluster["id"])
        for pool in pools:
            add_pool(call.store, planes, cluster, pool)
        return shown(cluster)

    @routes.get(_RULE, "k8s.ListClusters")
    def list_all(call: Call) -> Record:
        clusters = [refresh_cluster(call.store, planes, c) for c in call.store.all(CLUSTERS, region=region_of(call))]
        equal = ("organization_id", "project_id", "status", "type", "private_network_id", "version")
        return paged(call, "clusters", filtered(call, clusters, *equal, contains=["name"]))

    @routes.get(_CLUSTER_RULE, "k8s.GetCluster")
    def get(call: Call) -> Record:
        cluster = cluster_of_call(call, planes)
        if cluster.get("_acls_changed") and cluster["status"] in ("ready", "pool_required"):
            # The answer to new rules says nothing of the cluster, so its state is seen here: once, as in the recordings.
            call.store.put(CLUSTERS, cluster["id"], cluster | {"_acls_changed": False})
            return shown(cluster | {"status": "updating"})
        return shown(cluster)

    @routes.patch(_CLUSTER_RULE, "k8s.UpdateCluster")
    def update(call: Call) -> Record:
        cluster = _live(call, planes)
        changes = Fields(call.body).changes(
            text=["name", "description"],
            lists=["tags", "feature_gates", "admission_plugins", "apiserver_cert_sans"],
        )
        for name in ("autoscaler_config", "open_id_connect_config"):
            changes[name] = _merged(cluster[name], _nested(call, name))
        changes["auto_upgrade"] = _auto_upgrade(cluster["auto_upgrade"], _nested(call, "auto_upgrade"))
        return changed(call, cluster, **changes)

    @routes.delete(_CLUSTER_RULE, "k8s.DeleteCluster")
    def delete(call: Call) -> Record:
        """Its pools go with it, and its private network too where that is asked for."""
        cluster = cluster_of_call(call, planes)
        if cluster["status"] != "deleting":
            additional = bool(query_flag(call, "with_additional_resources"))
            changes = {"status": "deleting", "_with_additional_resources": additional}
            cluster = touched(call.store, CLUSTERS, cluster, **changes)
            for pool in call.store.all(POOLS, cluster_id=cluster["id"]):
                touched(call.store, POOLS, pool, status="deleting")
            planes.delete(cluster["id"])
        return shown(cluster)

    @routes.post(f"{_CLUSTER_RULE}/upgrade", "k8s.UpgradeCluster")
    def upgrade(call: Call) -> Record:
        cluster, fields = _live(call, planes), Fields(call.body)
        version = _version(fields.required("version"))
        if version not in upgrades(cluster["version"]):
            raise invalid("version", "constraint", f"a cluster of {cluster['version']} cannot be upgraded to {version}")
        for pool in call.store.all(POOLS, cluster_id=cluster["id"]) if fields.flag("upgrade_pools") else ():
            upgrade_pool(call.store, planes, pool, version)
        return changed(call, cluster, version=version)

    @routes.post(f"{_CLUSTER_RULE}/set-type", "k8s.SetClusterType")
    def set_type(call: Call) -> Record:
        cluster = _live(call, planes)
        return changed(call, cluster, type=_type(Fields(call.body).required("type")))

    @routes.get(f"{_CLUSTER_RULE}/kubeconfig", "k8s.GetClusterKubeConfig")
    def kubeconfig(call: Call) -> Record:
        cluster = _live(call, planes)
        try:
            content = planes.kubeconfig(cluster["id"], cluster["name"])
        except ControlPlaneError:
            raise transient_state("cluster", cluster["id"], cluster["status"]) from None
        return {
            "name": "kubeconfig",
            "content_type": "application/octet-stream",
            "content": base64.b64encode(content.encode()).decode(),
        }

    @routes.get(f"{_CLUSTER_RULE}/acls", "k8s.ListClusterACLRules")
    def list_acls(call: Call) -> Record:
        cluster = cluster_of_call(call, planes)
        return paged(call, "rules", sorted(call.store.all(ACLS, _cluster_id=cluster["id"]), key=_acl_order))

    def add_rules(call: Call, cluster: Record) -> Record:
        rules = list(_acl_rules(Fields(call.body)))
        for rule in rules:
            call.store.put(ACLS, rule["id"], rule | {"_cluster_id": cluster["id"]})
        # The recordings have a cluster `ready` afterwards even where it never had a pool.
        served = cluster["_served"] or cluster["_pool_required"]
        changed(call, cluster, _pool_required=False, _served=served, _acls_changed=True)
        return {"rules": rules}

    @routes.put(f"{_CLUSTER_RULE}/acls", "k8s.SetClusterACLRules")
    def set_acls(call: Call) -> Record:
        cluster = _live(call, planes)
        for rule in call.store.all(ACLS, _cluster_id=cluster["id"]):
            call.store.delete(ACLS, rule["id"])
        return add_rules(call, cluster)

    @routes.post(f"{_CLUSTER_RULE}/acls", "k8s.AddClusterACLRules")
    def add_acls(call: Call) -> Record:
        return add_rules(call, _live(call, planes))

    @routes.delete("/k8s/v1/regions/<region>/acls/<acl_id>", "k8s.DeleteACLRule")
    def delete_acl(call: Call) -> None:
        rule = find(call, ACLS, "acl", call.args["acl_id"])
        call.store.delete(ACLS, rule["id"])

    return routes
