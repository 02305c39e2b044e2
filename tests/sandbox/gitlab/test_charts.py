"""The sandbox's chart repository, as Helm reads it."""

import gzip
import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import requests
import yaml

from sandbox.charts import repository
from tests.sandbox.gitlab.conftest import Instance


def _get(instance: Instance, path: str) -> Any:
    return instance.session.get(f"{instance.listener.url}{path}", timeout=10)


def test_the_index_names_an_archive_with_its_digest(instance: Instance) -> None:
    answer = _get(instance, "/charts/index.yaml")
    assert answer.status_code == 200
    index = yaml.safe_load(answer.text)
    assert index["apiVersion"] == "v1"
    (entry,) = index["entries"]["gitlab-runner"]
    assert (entry["name"], entry["version"], str(entry["appVersion"])) == ("gitlab-runner", "0.86.0", "18.9.0")
    archive = requests.get(entry["urls"][0], timeout=10)
    assert hashlib.sha256(archive.content).hexdigest() == entry["digest"]
    assert _get(instance, "/charts/gitlab-runner-0.86.0.tgz").content == archive.content


def test_the_archive_holds_the_chart_below_its_name(instance: Instance) -> None:
    packed = _get(instance, "/charts/gitlab-runner-0.86.0.tgz").content
    folder = Path(repository.__file__).parent / "gitlab-runner"
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as tar:
        files = {m.name: content.read() for m in tar.getmembers() if (content := tar.extractfile(m))}
    wanted = {
        f"gitlab-runner/{p.relative_to(folder).as_posix()}": p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }
    assert files == wanted
    assert {"gitlab-runner/Chart.yaml", "gitlab-runner/values.yaml", "gitlab-runner/templates/deployment.yaml"} <= set(
        files
    )


def test_the_archive_is_always_the_same() -> None:
    first = repository.archive("gitlab-runner")
    repository.archive.cache_clear()
    assert repository.archive("gitlab-runner") == first


def test_every_value_has_the_real_charts_default() -> None:
    folder = Path(repository.__file__).parent / "gitlab-runner"
    values = yaml.safe_load((folder / "values.yaml").read_text())
    assert values["rbac"]["create"] is False
    assert values["concurrent"] == 10
    assert values["unregisterRunners"] is True
    assert values["serviceAccount"]["create"] is True
    used = (folder / "templates").glob("*")
    assert any("runner-registration-token" in p.read_text() for p in used)
