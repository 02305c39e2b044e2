"""What pipelines call, with much to do: a preview of 5,000 resources, a project with 10,000 open merge requests."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import requests

from benchmarks.bench import Bench
from benchmarks.figures import MEGABYTES, REQUESTS, SECONDS, Figure
from sandbox import gitlab
from sandbox.gitlab.merge_requests import MERGE_REQUESTS
from sandbox.requests import RequestLog
from sandbox.store import Store
from sandbox.web import Listener

ROOT: Final = Path(__file__).parents[1]
RESOURCES: Final = 5_000
DIFF_BYTES: Final = 20_000_000
OTHERS: Final = 10_000
_URN: Final = "urn:pulumi:dev::kapsule-devops::kubernetes:core/v1:ConfigMap::"


def measure(bench: Bench) -> Iterator[Figure]:
    yield from _preview_report(bench)
    yield _promote(bench)


def _preview_report(bench: Bench) -> Iterator[Figure]:
    """As a job runs it, without the note: that is one request, of GitLab's speed."""
    file = bench.folder / "preview.events"
    file.write_text("".join(_events()))
    told = f"{RESOURCES:,} updated resources, an event log of {file.stat().st_size / 1e6:.0f} MB"
    bench.say(f"preview_report on {told}")
    seconds, megabytes = [], []
    for _ in range(bench.repetitions):
        taken, peak = _run(
            "-m", "ci.preview_report", "--preview", f"dev={file}", "--markdown", str(bench.folder / "note.md")
        )
        seconds.append(taken)
        megabytes.append(peak)
    details = {"resources": RESOURCES, "diff in MB": DIFF_BYTES / 1e6, "event log in MB": file.stat().st_size / 1e6}
    yield Figure(
        name="preview_report_seconds",
        unit=SECONDS,
        values=seconds,
        at_most=2.0,
        meaning=f"`python -m ci.preview_report` on {told}, its own start included.",
        details=details,
    )
    yield Figure(
        name="preview_report_megabytes",
        unit=MEGABYTES,
        values=megabytes,
        at_most=200.0,
        meaning="The most memory that it had at once (resident), in the same runs.",
    )


def _events() -> Iterator[str]:
    """Each resource has a value of which every line changes; old and new values add up to the bytes of the diff."""
    half = DIFF_BYTES // RESOURCES // 2
    for n in range(RESOURCES):
        sides = {}
        for side in ("old", "new"):
            line = f"{side} line of resource {n} with some words in it\n"
            inputs = {"metadata": {"name": f"m-{n}"}, "data": {"config.toml": (line * (half // len(line) + 1))[:half]}}
            sides[side] = {
                "type": "kubernetes:core/v1:ConfigMap",
                "urn": f"{_URN}m-{n}",
                "inputs": inputs,
                "outputs": {},
            }
        metadata: dict[str, Any] = {
            "op": "update",
            "urn": f"{_URN}m-{n}",
            "type": "kubernetes:core/v1:ConfigMap",
            **sides,
            "diffs": ["data"],
            "detailedDiff": {"data.config.toml": {"diffKind": "update", "inputDiff": True}},
        }
        yield json.dumps({"sequence": n, "resourcePreEvent": {"metadata": metadata, "planning": True}}) + "\n"
    summary = {"maybeCorrupt": False, "durationSeconds": 1, "resourceChanges": {"update": RESOURCES}, "PolicyPacks": {}}
    yield json.dumps({"sequence": RESOURCES, "summaryEvent": summary}) + "\n"


def _run(*arguments: str, **variables: str) -> tuple[float, float]:
    """Seconds and megabytes of one run of this interpreter, which must end well."""
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env=os.environ | variables, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    taken = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments[:2])} ended with {process.returncode}")
    return taken, usage.ru_maxrss / 1000


def _promote(bench: Bench) -> Figure:
    """Requests of one promotion that opens a merge request, alone in its project and among many others."""
    bench.say(f"promotion among {OTHERS:,} open merge requests")
    alone = [_promotion(bench.folder / f"alone-{n}", others=0) for n in range(bench.repetitions)]
    among = [_promotion(bench.folder / f"among-{n}", others=OTHERS) for n in range(bench.repetitions)]
    return Figure(
        name="promote_requests",
        unit=REQUESTS,
        values=among,
        at_most=alone[0],
        meaning=f"What `python -m ci.promote` asks of GitLab to open a promotion while {OTHERS:,} other merge requests are "
        "open, from its source as well as to its target. The limit is what it asks where none is open.",
        details={"requests with none open": alone[0]},
    )


def _promotion(folder: Path, *, others: int) -> int:
    folder.mkdir()
    with closing(Store(folder / "records.db")) as store, closing(RequestLog(folder / "requests.jsonl")) as log:
        account = gitlab.seed(store)
        with closing(Listener(gitlab.make_service(store, log, []))) as listener, requests.Session() as session:
            session.trust_env = False
            project = f"{listener.url}/api/v4/projects/{account.project_id}"

            def ask(path: str, **body: Any) -> Any:
                answer = session.post(
                    f"{project}/{path}", json=body, headers={"PRIVATE-TOKEN": account.token}, timeout=60
                )
                answer.raise_for_status()
                return answer.json()

            ask("repository/commits", branch="main", commit_message="Work", actions=[])
            if others:
                _open(store, ask("merge_requests", source_branch="main", target_branch="prod", title="Other"), others)
            token = ask("access_tokens", name="bot", scopes=["api"], access_level=30)["token"]
            before = len(log.entries())
            _run(
                *("-m", "ci.promote"),
                PRIVATE_TOKEN=token,
                CI_API_V4_URL=f"{listener.url}/api/v4",
                CI_PROJECT_ID=str(account.project_id),
                CI_COMMIT_REF_NAME="main",
                TARGET_BRANCH="preprod",
                NO_PROXY="127.0.0.1",
            )
            return len(log.entries(before))


def _open(store: Store, template: dict[str, Any], number: int) -> None:
    """Straight into the store: making each over HTTP takes minutes."""
    with store.transaction():
        for n in range(number):
            project = template["project_id"]
            iid = store.next_id(f"gitlab.merge_request.{project}")
            branches = {"source_branch": f"s/{n}"} if n % 2 else {"target_branch": f"t/{n}"}
            store.put(MERGE_REQUESTS, f"{project}:{iid}", template | {"id": iid, "iid": iid} | branches)
