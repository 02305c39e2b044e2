"""The running sandbox: both stand-ins and the control planes in one process, until a signal or the end of its parent.

Owns start-up and shutdown in order, the ports (the same again after a restart, where they are still free), and
`running.json`, by which the other commands find it. A lock file keeps a second one out of the same folder.
"""

import logging
import os
import signal
import threading
from pathlib import Path

from sandbox import files, gitlab, home, scaleway, stack_files
from sandbox.admin import admin_routes
from sandbox.charts import repository
from sandbox.cluster import LocalControlPlanes
from sandbox.folder import Folder
from sandbox.requests import RequestLog
from sandbox.running import Running, hold
from sandbox.scaleway import pace, patience
from sandbox.scaleway.common import CLUSTERS
from sandbox.store import Store
from sandbox.toolchain.build import binary
from sandbox.toolchain.parts import CONTROL_PLANE
from sandbox.web import Listener

log = logging.getLogger("sandbox")

_PORTS = "sandbox.ports"


def serve(folder: Folder) -> None:
    """Runs the sandbox until SIGTERM, SIGINT or SIGHUP. Raises AlreadyRunningError."""
    folder.create()
    _log_to(folder.log)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: over.set())
    with hold(folder):
        home.prepare(folder, home.chosen_toolchain())
        _serve(folder, over)


def _serve(folder: Folder, over: threading.Event) -> None:
    store, requests = Store(folder.records), RequestLog(folder.requests)
    planes = LocalControlPlanes(folder.clusters, binary(CONTROL_PLANE))

    def seed() -> None:
        scaleway.seed(store, stack_files.wanted_by_all())
        gitlab.seed(store)

    def reset() -> None:
        for cluster in store.all(CLUSTERS):
            planes.delete(cluster["id"])
        store.clear(keep=(_PORTS, scaleway.SEED, gitlab.SEED))
        seed()

    seed()
    services = [
        scaleway.make_service(
            store,
            planes,
            requests,
            [*pace.routes, *admin_routes("scaleway", requests, reset)],
            wait_seconds=patience.SECONDS,
        ),
        gitlab.make_service(store, requests, [*repository.routes(), *admin_routes("gitlab", requests, reset)]),
    ]
    ports = {p["name"]: p["port"] for p in store.all(_PORTS)}
    listeners = {s.name: Listener(s, ports.get(s.name, 0)) for s in services}
    for name, listener in listeners.items():
        store.put(_PORTS, name, {"name": name, "port": listener.port})
    scaleway.resume(store, planes)
    running = Running(os.getpid(), listeners["scaleway"].url, listeners["gitlab"].url)
    running.write(folder)
    log.info("ready: %s", running)
    try:
        over.wait()
    finally:
        log.info("stopping")
        for listener in listeners.values():
            listener.close()
        planes.stop()
        requests.close()
        store.close()
        folder.running.unlink(missing_ok=True)
        log.info("stopped")


def _log_to(file: Path) -> None:
    handler = logging.StreamHandler(files.appending(file))
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
