"""The command line of each part of a control plane, and the ports that it listens on.

Does not own the processes (`cluster`).
"""

import json
import secrets
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from sandbox import files

# Below those that systems take for connections which go out: some seconds lie between the choice of a port and the moment in
# which a part listens there, and a busy machine opens many connections in them.
_PORTS: Final = range(20_000, 32_768)
_TRIES: Final = 100

SERVICE_CIDR: Final = "10.32.0.0/20"  # Kapsule's


@dataclass(frozen=True)
class Endpoints:
    """Where a control plane listens, and its admin's bearer token. Kept over a restart: kubeconfigs hold both."""

    etcd_client: int
    etcd_peer: int
    api_server: int
    token: str

    @staticmethod
    def load(file: Path) -> "Endpoints":
        old = json.loads(file.read_text()) if file.exists() else {}
        ports = {k: free_port(old.get(k, 0)) for k in ("etcd_client", "etcd_peer", "api_server")}
        endpoints = Endpoints(**ports, token=old.get("token") or secrets.token_hex(32))
        files.write(file, json.dumps(asdict(endpoints)))
        return endpoints


# The command line of each part, by its name: of a cluster's own folder, its endpoints and the binary.
Arguments = Callable[[Path, Endpoints, Path], dict[str, list[str]]]


def arguments(folder: Path, at: Endpoints, binary: Path) -> dict[str, list[str]]:
    """Of each part's command line, by its name. `folder` is the cluster's own."""
    etcd = f"http://127.0.0.1:{at.etcd_client}"
    admin = f"--kubeconfig={folder / 'admin.kubeconfig'}"
    stages = ["node-initialize", "pod-ready", "pod-complete", "pod-delete"]
    return {
        "etcd": [str(folder / "etcd"), etcd, f"http://127.0.0.1:{at.etcd_peer}"],
        "apiserver": [
            f"--etcd-servers={etcd}",
            f"--secure-port={at.api_server}",
            "--bind-address=127.0.0.1",
            # Without these two the API server looks for a default route, which a machine offline lacks.
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--cert-dir={folder / 'certificates'}",
            f"--token-auth-file={folder / 'tokens.csv'}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={folder / 'sa.pub'}",
            f"--service-account-signing-key-file={folder / 'sa.key'}",
            f"--service-cluster-ip-range={SERVICE_CIDR}",
        ],
        "controller-manager": [
            admin,
            f"--service-account-private-key-file={folder / 'sa.key'}",
            f"--root-ca-file={folder / 'certificates' / 'apiserver.crt'}",
            "--use-service-account-credentials",
            "--leader-elect=false",
            # A machine that is busy building must not look like nodes that died.
            "--node-monitor-grace-period=300s",
            "--bind-address=127.0.0.1",
            f"--secure-port={free_port()}",
        ],
        "scheduler": [admin, "--leader-elect=false", "--bind-address=127.0.0.1", f"--secure-port={free_port()}"],
        "kwok": [
            admin,
            "--manage-all-nodes=true",
            "--node-ip=127.0.0.1",
            # Heartbeats, as kubelets send them: without, nodes and their pods become NotReady after some minutes.
            "--node-lease-duration-seconds=40",
            f"--server-address=127.0.0.1:{free_port()}",
            *(f"--config={binary.parent / f'{stage}.yaml'}" for stage in stages),
        ],
    }


def free_port(preferred: int = 0) -> int:
    """`preferred` where nothing listens there on loopback, else a port that is free now."""
    chosen = (secrets.choice(_PORTS) for _ in range(_TRIES))
    for port in (preferred, *chosen) if preferred else chosen:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port on loopback from {_PORTS.start} to {_PORTS.stop - 1}")
