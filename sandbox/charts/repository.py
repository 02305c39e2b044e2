"""A Helm chart repository over HTTP, as GitLab's is at its own address, with the sandbox's charts.

Owns `/charts/index.yaml` and the archive of each chart, made in memory from its folder. The same files always give the same
bytes, so the digest in the index stays valid over restarts.
"""

import gzip
import hashlib
import io
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sandbox.web import Call, Reply, Routes

_HERE = Path(__file__).parent
CHARTS = ("gitlab-runner",)
_CREATED = "2026-01-01T00:00:00Z"  # the index wants a date; a real one would change with every start


def _metadata(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((_HERE / name / "Chart.yaml").read_text())
    return found


def archive_name(name: str) -> str:
    return f"{name}-{_metadata(name)['version']}.tgz"


@cache
def archive(name: str) -> bytes:
    """The chart as `helm package` would make it, but without times and owners."""
    tar_bytes = io.BytesIO()
    folder = _HERE / name
    with tarfile.open(fileobj=tar_bytes, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = tarfile.TarInfo(f"{name}/{path.relative_to(folder).as_posix()}")
            content = path.read_bytes()
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(tar_bytes.getvalue(), mtime=0)


def index(base_url: str) -> str:
    entries = {
        name: [
            _metadata(name)
            | {
                "created": _CREATED,
                "digest": hashlib.sha256(archive(name)).hexdigest(),
                "urls": [f"{base_url}/charts/{archive_name(name)}"],
            }
        ]
        for name in CHARTS
    }
    return yaml.safe_dump({"apiVersion": "v1", "generated": _CREATED, "entries": entries}, sort_keys=False)


@cache
def routes() -> Routes:
    """The repository's routes; like a real one it asks for no credentials."""
    found = Routes()

    @found.add("GET", "/charts/index.yaml", "charts.index", public=True)
    def get_index(call: Call) -> Reply:
        return Reply(body=index(call.base_url), content_type="application/yaml")

    for name in CHARTS:

        @found.add("GET", f"/charts/{archive_name(name)}", f"charts.{name}", public=True)
        def get_archive(call: Call, name: str = name) -> Reply:
            return Reply(body=archive(name), content_type="application/gzip")

    return found
