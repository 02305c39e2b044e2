"""Instance metadata of the GitLab stand-in. The official provider asks it whether the instance is an Enterprise Edition."""

from sandbox.gitlab.common import enterprise
from sandbox.store import Record
from sandbox.web import Call, Routes

VERSION = "19.4.0"
REVISION = "5a4d9c0f2b1"

routes = Routes()


def _version(call: Call) -> str:
    return f"{VERSION}-ee" if enterprise(call.store) else VERSION


@routes.get("/api/v4/metadata", "gitlab.Metadata.get")
def metadata(call: Call) -> Record:
    return {
        "version": _version(call),
        "revision": REVISION,
        "kas": {"enabled": False, "externalUrl": None, "externalK8sProxyUrl": None, "version": None},
        "enterprise": enterprise(call.store),
    }


@routes.get("/api/v4/version", "gitlab.Version.get")
def version(call: Call) -> Record:
    return {"version": _version(call), "revision": REVISION}
