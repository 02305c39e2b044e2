"""The flows that the policies allow, and that every other is refused: by Kubernetes' rules for them, written down here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from components.network_policies import policies
from sections.jobs import KubernetesSettings

JOBS = "dev"
NAMESPACE = "kubernetes.io/metadata.name"


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod in a namespace that has the label which Kubernetes itself gives it."""

    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)
    ip: str = "100.64.0.7"


Peer = Pod | str  # a pod of the cluster, or an address outside it


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def in_block(block: Mapping[str, Any], address: str) -> bool:
    assert set(block) <= {"cidr", "except"}
    inside = ip_address(address)
    return inside in ip_network(block["cidr"]) and not any(inside in ip_network(c) for c in block.get("except", []))


def matches(peer: Mapping[str, Any], other: Peer, own: str, blocks_hold_pods: bool) -> bool:
    """A block is for addresses outside the cluster; whether a pod's own is in it, a network plugin decides."""
    if "ipBlock" in peer:
        assert set(peer) == {"ipBlock"}
        if isinstance(other, str):
            return in_block(peer["ipBlock"], other)
        return blocks_hold_pods and in_block(peer["ipBlock"], other.ip)
    assert set(peer) <= {"namespaceSelector", "podSelector"}
    if isinstance(other, str):
        return False
    if "namespaceSelector" in peer:
        in_namespace = selects(peer["namespaceSelector"], {NAMESPACE: other.namespace})
    else:
        in_namespace = other.namespace == own
    return in_namespace and selects(peer.get("podSelector", {}), other.labels)


def allowed(
    specs: Iterable[Mapping[str, Any]],
    direction: str,
    own: Pod,
    other: Peer,
    protocol: str,
    port: int,
    *,
    blocks_hold_pods: bool = False,
) -> bool:
    """Kubernetes: policies that select the pod add up; with none for a direction all is allowed, else only what one says.

    Each of `specs` is of a policy in `own`'s namespace.
    """
    rules_key, peers_key = {"Egress": ("egress", "to"), "Ingress": ("ingress", "from")}[direction]
    isolated = False
    for spec in specs:
        assert set(spec) <= {"podSelector", "policyTypes", "egress", "ingress"}
        if direction not in spec["policyTypes"] or not selects(spec["podSelector"], own.labels):
            continue
        isolated = True
        for rule in spec.get(rules_key, []):
            to = not rule.get(peers_key) or any(
                matches(peer, other, own.namespace, blocks_hold_pods) for peer in rule[peers_key]
            )
            on = not rule.get("ports") or any(
                each.get("protocol", "TCP") == protocol and each.get("port") in (None, port) for each in rule["ports"]
            )
            if to and on:
                return True
    return not isolated


DEFAULTS = KubernetesSettings()
SPECS = list(policies(DEFAULTS.egress_ports, DEFAULTS.egress_blocked_cidrs).values())
JOB = Pod(namespace=JOBS, labels={"pod": "runner-1"})
DNS = Pod(namespace="kube-system", labels={"k8s-app": "kube-dns", "pod-template-hash": "x"})
PUBLIC = "203.0.113.7"


def out(other: Peer, protocol: str, port: int, **how: bool) -> bool:
    return allowed(SPECS, "Egress", JOB, other, protocol, port, **how)


@pytest.mark.parametrize("labels", [{}, {"pod": "runner-1"}, {"k8s-app": "kube-dns"}, {"app": "anything"}])
@pytest.mark.parametrize("protocol", ["UDP", "TCP"])
def test_every_pod_asks_for_names(labels: dict[str, str], protocol: str) -> None:
    assert allowed(SPECS, "Egress", Pod(namespace=JOBS, labels=labels), DNS, protocol, 53)


@pytest.mark.parametrize("port", [22, 80, 443, 6443])
@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "169.253.255.255", "169.255.0.0"])
def test_a_job_reaches_what_is_outside_on_the_ports_of_the_settings(address: str, port: int) -> None:
    assert out(address, "TCP", port)


OTHER_PODS = [
    Pod(namespace=JOBS, labels={"pod": "runner-2"}),
    Pod(namespace=JOBS, labels={"k8s-app": "kube-dns"}),
    Pod(namespace="dev-runners", labels={"app": "app-dev-runner"}),
    Pod(namespace="dev-preview", labels={"pod": "runner-1"}),
    Pod(namespace="default", labels={"k8s-app": "kube-dns"}),
    Pod(namespace="kube-system", labels={"k8s-app": "metrics-server"}),
    Pod(namespace="kube-system", labels={}),
]
PORTS = [("TCP", 22), ("TCP", 53), ("UDP", 53), ("TCP", 80), ("TCP", 443), ("TCP", 6443), ("TCP", 8080), ("SCTP", 443)]


@pytest.mark.parametrize("other", OTHER_PODS, ids=lambda pod: f"{pod.namespace}-{pod.labels}")
@pytest.mark.parametrize(("protocol", "port"), PORTS)
def test_a_job_reaches_no_pod_but_those_of_dns(other: Pod, protocol: str, port: int) -> None:
    assert not out(other, protocol, port)


@pytest.mark.parametrize(
    ("protocol", "port"), [each for each in PORTS if each[1] != 53] + [("UDP", 9153), ("SCTP", 53)]
)
def test_of_dns_a_job_reaches_nothing_but_names(protocol: str, port: int) -> None:
    assert not out(DNS, protocol, port)


@pytest.mark.parametrize(
    ("protocol", "port"),
    [("UDP", 53), ("TCP", 53), ("TCP", 8080), ("TCP", 25), ("UDP", 443), ("SCTP", 443), ("TCP", 0), ("TCP", 10250)],
)
def test_outside_a_job_reaches_no_other_port(protocol: str, port: int) -> None:
    assert not out(PUBLIC, protocol, port)


@pytest.mark.parametrize("address", ["169.254.42.42", "169.254.169.254", "169.254.0.0", "169.254.255.255"])
@pytest.mark.parametrize("port", [80, 443])
def test_a_job_does_not_reach_its_nodes_metadata(address: str, port: int) -> None:
    assert not out(address, "TCP", port)


@pytest.mark.parametrize("other", [PUBLIC, "10.0.0.1", "169.254.42.42", DNS, *OTHER_PODS], ids=str)
@pytest.mark.parametrize(("protocol", "port"), PORTS)
def test_nobody_reaches_a_job(other: Peer, protocol: str, port: int) -> None:
    assert not allowed(SPECS, "Ingress", JOB, other, protocol, port, blocks_hold_pods=True)


@pytest.mark.parametrize("address", ["10.0.0.1", "172.16.0.2", "192.168.1.1", "100.63.255.255", "100.66.0.0"])
def test_a_private_address_is_outside_unless_the_settings_block_it(address: str) -> None:
    assert out(address, "TCP", 443)
    private = ["169.254.0.0/16", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "100.0.0.0/10"]
    blocked = list(policies([443], private).values())
    assert not allowed(blocked, "Egress", JOB, address, "TCP", 443)
    assert allowed(blocked, "Egress", JOB, PUBLIC, "TCP", 443)


@pytest.mark.parametrize("other", OTHER_PODS, ids=lambda pod: f"{pod.namespace}-{pod.labels}")
@pytest.mark.parametrize("ip", ["100.64.0.0", "100.64.0.7", "100.65.255.255"])
@pytest.mark.parametrize(("protocol", "port"), PORTS)
def test_a_plugin_that_finds_pods_in_blocks_keeps_jobs_from_them(other: Pod, ip: str, protocol: str, port: int) -> None:
    """Kubernetes leaves it open whether a block holds pods; Cilium, the default, says no. The default list blocks them."""
    assert not out(replace(other, ip=ip), protocol, port, blocks_hold_pods=True)


@pytest.mark.parametrize("other", OTHER_PODS, ids=lambda pod: f"{pod.namespace}-{pod.labels}")
def test_such_a_plugin_lets_jobs_reach_pods_where_the_settings_leave_out_their_range(other: Pod) -> None:
    without = list(policies(DEFAULTS.egress_ports, ["169.254.0.0/16"]).values())
    assert allowed(without, "Egress", JOB, other, "TCP", 443, blocks_hold_pods=True)
    assert not allowed(without, "Egress", JOB, other, "TCP", 8080, blocks_hold_pods=True)
    assert not allowed(without, "Egress", JOB, other, "TCP", 443, blocks_hold_pods=False)


@pytest.mark.parametrize(("protocol", "port"), [("UDP", 53), ("TCP", 53)])
def test_such_a_plugin_lets_jobs_ask_for_names(protocol: str, port: int) -> None:
    """What one rule leaves out, another may allow."""
    assert out(DNS, protocol, port, blocks_hold_pods=True)


@pytest.mark.parametrize(("protocol", "port"), [each for each in PORTS if each[1] != 53])
def test_of_dns_such_a_plugin_lets_jobs_reach_nothing_else(protocol: str, port: int) -> None:
    assert not out(DNS, protocol, port, blocks_hold_pods=True)


def test_the_ports_are_those_of_the_settings_and_no_others() -> None:
    specs = list(policies([5432], ["169.254.0.0/16"]).values())
    assert [p for p in (22, 80, 443, 5432, 6443) if allowed(specs, "Egress", JOB, PUBLIC, "TCP", p)] == [5432]


def test_each_policy_is_needed() -> None:
    """Denial alone allows nothing; without it, nobody is kept from a job."""
    named = policies([443], ["169.254.0.0/16"])
    assert list(named) == ["deny-all", "allow-names", "allow-outside"]
    flows: list[tuple[Peer, str, int]] = [(DNS, "UDP", 53), (PUBLIC, "TCP", 443)]
    reached = {name: [allowed([spec], "Egress", JOB, *flow) for flow in flows] for name, spec in named.items()}
    assert reached == {"deny-all": [False, False], "allow-names": [True, False], "allow-outside": [False, True]}
    kept = {name: not allowed([spec], "Ingress", JOB, PUBLIC, "TCP", 80) for name, spec in named.items()}
    assert kept == {"deny-all": True, "allow-names": False, "allow-outside": False}


def test_the_evaluator_allows_all_where_no_policy_is() -> None:
    for direction in ("Egress", "Ingress"):
        assert allowed([], direction, JOB, PUBLIC, "TCP", 8080)
        elsewhere = [{"podSelector": {"matchLabels": {"app": "x"}}, "policyTypes": [direction]}]
        assert allowed(elsewhere, direction, JOB, PUBLIC, "TCP", 8080)
        assert not allowed(elsewhere, direction, Pod(namespace=JOBS, labels={"app": "x"}), PUBLIC, "TCP", 8080)
