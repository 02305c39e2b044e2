"""A real Kubernetes control plane per Kapsule cluster: etcd, API server, controllers, scheduler, and kwok as the kubelets.

Owns the processes, their ports, certificates, tokens and data (a folder per cluster, mode 0700), and starts a part again
that dies. Everything listens on loopback only and ends with this process.

Does not own what a cluster is to Scaleway: `sandbox.scaleway` does, and asks for state through `ControlPlanes`.
"""

import base64
import logging
import shutil
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from httpx2 import HTTPError
from lightkube import Client

from sandbox import cluster_parts, files, loopback
from sandbox.cluster_parts import Arguments, Endpoints
from sandbox.control_plane import ControlPlaneError, NodeSpec
from sandbox.nodes import connect, joined, reconcile
from sandbox.process import Process

log = logging.getLogger("sandbox")

# One thread of Go for each part of a control plane: what has little to do would else spend a fifth of its processor time on
# finding a core for it. An `up` takes as long; only a start on a machine that does nothing else takes a tenth longer.
_ENVIRONMENT = {"GOMAXPROCS": "1"}

# From here on a start counts as failed. It takes 3 s, or 30 on a machine that starts eight at once.
START_SECONDS = 180
MAXIMUM_RESTARTS = 5
_STARTS = 3
_PORT_IS_TAKEN = "address already in use"  # in the words of Go
_POLL_SECONDS = 0.1
_RESYNC_SECONDS = 2.0


class _Plane:
    """One control plane and the thread that starts it, keeps it up and keeps its nodes as the pools want them."""

    def __init__(
        self, cluster_id: str, folder: Path, binary: Path, arguments: Arguments, environment: Mapping[str, str]
    ) -> None:
        self.id, self.folder, self._binary = cluster_id, folder, binary
        self._arguments, self._environment = arguments, environment
        self.error: str | None = None
        self.is_ready = threading.Event()
        self.desired: dict[str, list[NodeSpec]] = {}
        self.settled: dict[str, bool] = {}
        self.lock = threading.Lock()
        self.changed = threading.Event()
        self._stopping = threading.Event()
        self._processes: dict[str, Process] = {}
        self._restarts = 0
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.endpoints = Endpoints.load(folder / "endpoints.json")
        self._thread = threading.Thread(target=self._run, name=f"cluster {cluster_id}", daemon=True)
        self._thread.start()

    def stop(self, *, forget: bool) -> None:
        """Ends everything and waits for it; `forget` removes the data too."""
        self._stopping.set()
        self.changed.set()
        self._thread.join()
        if forget:
            shutil.rmtree(self.folder)

    def kubeconfig(self, name: str) -> str:
        authority = base64.b64encode((self.folder / "certificates" / "apiserver.crt").read_bytes()).decode()
        server = f"https://127.0.0.1:{self.endpoints.api_server}"
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": authority}}],
            "users": [{"name": f"{name}-admin", "user": {"token": self.endpoints.token}}],
            "contexts": [{"name": f"admin@{name}", "context": {"cluster": name, "user": f"{name}-admin"}}],
            "current-context": f"admin@{name}",
        }
        return str(yaml.safe_dump(document, sort_keys=False))

    def _run(self) -> None:
        try:
            self._start()
            self.is_ready.set()
            self._supervise()
        except Exception as error:
            self.error = str(error)
            self.is_ready.clear()
            log.exception("the control plane of cluster %s failed", self.id)
        finally:
            self._end()

    def _end(self) -> None:
        for process in reversed(self._processes.values()):  # etcd last
            process.terminate()
            if process.name == "apiserver":
                process.wait()  # it writes to etcd until it ends
        for process in self._processes.values():
            process.wait()
        self._processes.clear()

    def _start(self) -> None:
        """On other ports where somebody took one of them between its choice and its use."""
        for left in reversed(range(_STARTS)):
            try:
                self._start_once()
                return
            except ControlPlaneError as error:
                if not left or _PORT_IS_TAKEN not in str(error):
                    raise
                log.warning("cluster %s starts again on other ports: %s", self.id, error)
                self._end()
                self.endpoints = Endpoints.load(self.folder / "endpoints.json")

    def _start_once(self) -> None:
        started = time.monotonic()
        self._write_files()
        self._launch("etcd")
        self._await("etcd", lambda: self._answers(f"http://127.0.0.1:{self.endpoints.etcd_client}/health"))
        self._launch("apiserver")
        self._await("apiserver", lambda: self._answers(f"https://127.0.0.1:{self.endpoints.api_server}/readyz"))
        files.write(self.folder / "admin.kubeconfig", self.kubeconfig("sandbox"))
        for part in ("controller-manager", "scheduler", "kwok"):
            self._launch(part)
        log.info("control plane of cluster %s ready after %.1f s", self.id, time.monotonic() - started)

    def _await(self, part: str, answers: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not answers():
            process = self._processes[part]
            if process.exit_code is not None:
                raise ControlPlaneError(f"{part} ended with {process.exit_code}: {process.last_words()}")
            if time.monotonic() > deadline:
                raise ControlPlaneError(f"{part} did not answer within {START_SECONDS} s: {process.last_words()}")
            if self._stopping.wait(_POLL_SECONDS):
                raise ControlPlaneError(f"stopped while {part} was starting")

    def _answers(self, url: str) -> bool:
        return answers(url, self.endpoints.token, self.folder / "certificates" / "apiserver.crt")

    def _supervise(self) -> None:
        with connect(self.kubeconfig("sandbox")) as client:
            while not self._stopping.is_set():
                self._restart_the_dead()
                self.changed.clear()
                self.changed.wait(self._settle(client))

    def _settle(self, client: Client) -> float:
        """One step towards the nodes that the pools want; for how long there is nothing to do then."""
        with self.lock:
            desired = dict(self.desired)
        there, following = joined(desired, time.time())
        try:
            settled = reconcile(client, there)
        except (HTTPError, OSError) as error:
            log.warning("cluster %s: nodes not settled, trying again: %s", self.id, error)
            settled = {}
        with self.lock:
            complete = {pool: settled.get(pool, False) and there[pool] == nodes for pool, nodes in desired.items()}
            self.settled = complete if desired == self.desired else {}
            if desired != self.desired or not all(settled.get(pool) for pool in desired):
                return _POLL_SECONDS
        return _RESYNC_SECONDS if following is None else min(_RESYNC_SECONDS, max(0.0, following - time.time()))

    def _restart_the_dead(self) -> None:
        for part, process in list(self._processes.items()):
            if process.exit_code is None:
                continue
            self._restarts += 1
            if self._restarts > MAXIMUM_RESTARTS:
                raise ControlPlaneError(f"{part} keeps ending, last with {process.exit_code}: {process.last_words()}")
            log.warning("cluster %s: %s ended with %s, starting it again", self.id, part, process.exit_code)
            process.wait()
            self._launch(part)

    def _launch(self, part: str) -> None:
        found = self._arguments(self.folder, self.endpoints, self._binary)
        command = [str(self._binary), part, *found[part]]
        self._processes[part] = Process(part, command, self.folder / f"{part}.log", self._environment)

    def _write_files(self) -> None:
        folder = self.folder
        (folder / "certificates").mkdir(mode=0o700, exist_ok=True)
        files.write(folder / "tokens.csv", f"{self.endpoints.token},admin,admin,system:masters\n")
        if not (folder / "sa.key").exists():
            self._write_service_account_key()

    def _write_service_account_key(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        files.write(self.folder / "sa.pub", public.decode())
        files.write(self.folder / "sa.key", private.decode())


class LocalControlPlanes:
    """Control planes as child processes of this one; see `sandbox.control_plane.ControlPlanes` for each method."""

    def __init__(
        self,
        folder: Path,
        binary: Path,
        *,
        arguments: Arguments = cluster_parts.arguments,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`folder` holds a folder per cluster; `binary` is kubernetes-cluster. The rest is for benchmarks."""
        self._folder, self._binary = folder, binary
        self._arguments, self._environment = arguments, _ENVIRONMENT | dict(environment or {})
        self._lock = threading.Lock()
        self._planes: dict[str, _Plane] = {}
        self._deleting: dict[str, threading.Thread] = {}

    def start(self, cluster_id: str) -> None:
        with self._lock:
            if cluster_id not in self._planes:
                self._planes[cluster_id] = _Plane(
                    cluster_id, self._folder / cluster_id, self._binary, self._arguments, self._environment
                )

    def ready(self, cluster_id: str) -> bool:
        plane = self._plane(cluster_id)
        if plane.error:
            raise ControlPlaneError(plane.error)
        return plane.is_ready.is_set()

    def kubeconfig(self, cluster_id: str, name: str) -> str:
        return self._plane(cluster_id).kubeconfig(name)

    def set_nodes(self, cluster_id: str, pool_id: str, nodes: Sequence[NodeSpec]) -> None:
        plane = self._plane(cluster_id)
        with plane.lock:
            plane.desired = {**plane.desired, pool_id: list(nodes)}
            plane.settled.pop(pool_id, None)
        plane.changed.set()

    def nodes_ready(self, cluster_id: str, pool_id: str) -> bool:
        plane = self._plane(cluster_id)
        with plane.lock:
            return plane.settled.get(pool_id, False)

    def delete(self, cluster_id: str) -> None:
        with self._lock:
            plane = self._planes.pop(cluster_id, None)
            if plane is not None:
                thread = threading.Thread(target=plane.stop, kwargs={"forget": True}, daemon=True)
                self._deleting[cluster_id] = thread
                thread.start()

    def deleted(self, cluster_id: str) -> bool:
        thread = self._deleting.get(cluster_id)
        return cluster_id not in self._planes and (thread is None or not thread.is_alive())

    def stop(self) -> None:
        """Ends all control planes and keeps their data."""
        with self._lock:
            planes, self._planes = list(self._planes.values()), {}
        stops = [threading.Thread(target=p.stop, kwargs={"forget": False}) for p in planes]
        for thread in stops:
            thread.start()
        for thread in [*stops, *self._deleting.values()]:
            thread.join()

    def _plane(self, cluster_id: str) -> _Plane:
        try:
            return self._planes[cluster_id]
        except KeyError:
            raise ControlPlaneError(f"cluster {cluster_id} has no control plane") from None


def answers(url: str, token: str, authority: Path) -> bool:
    """Whether a part is up. `authority` is the API server's certificate, which it writes itself: it may be missing, or half
    written, while that one starts.
    """
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - loopback
    try:
        context = ssl.create_default_context(cafile=str(authority)) if url.startswith("https") else None
        with loopback.opened(request, seconds=2, context=context) as answer:
            return answer.status == 200
    except OSError:  # ssl's and urllib's errors are OSErrors
        return False
