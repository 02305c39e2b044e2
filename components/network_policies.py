"""The flows that runners need, as network policies: everything else is refused. Pure: objects as Kubernetes has them.

Jobs ask for names (DNS) and for what is outside on a few ports; nobody asks for them: a manager speaks to its job pods
through the API server, and a job's services share its pod. Source: Kubernetes, "Network Policies".
"""

from collections.abc import Sequence
from typing import Any

DNS = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
}


def policies(ports: Sequence[int], blocked_cidrs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Specs by name: nothing in, nothing out, but names and these TCP ports outside."""
    outside = {
        "to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": list(blocked_cidrs)}}],
        "ports": [{"protocol": "TCP", "port": port} for port in ports],
    }
    everything: dict[str, Any] = {"podSelector": {}}
    return {
        "deny-all": {**everything, "policyTypes": ["Ingress", "Egress"]},
        "allow-names": {**everything, "policyTypes": ["Egress"], "egress": [DNS]},
        "allow-outside": {**everything, "policyTypes": ["Egress"], "egress": [outside]},
    }
