"""`pulumi up` of an environment from nothing, with realistic latencies: against the longest chain of operations that cannot
overlap, and against the article's commands one after another.

One person brings both up side by side: the environment `dev` as it is shipped, and, as soon as its target project is there,
the cluster of the applications (`examples/app-cluster`), which the article makes too. The first figure is about the
environment's own update, with the preview that `pulumi up` begins with; the second about both together.

By itself: `python -m benchmarks.up [--factor F] [--cluster SECONDS] [--pool SECONDS] [--repetitions N]`.
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from lightkube.resources.apps_v1 import Deployment

from benchmarks import article, latencies
from benchmarks.bench import Bench, by_hand
from benchmarks.figures import RATIO, Figure
from benchmarks.latencies import Latencies
from benchmarks.needs import kind, needs
from benchmarks.operations import Stamped, after_preview, spans
from benchmarks.polling import unseen
from benchmarks.shares import Recorded
from benchmarks.update import Update, init, resources, update
from ci import command_line
from sandbox.folder import Folder
from sandbox.running import Running
from sandbox.scaleway import pace
from sandbox.scaleway.common import CLUSTERS
from sandbox.scaleway.k8s_nodes import NODES
from tests.engine.estate import Estate

STACK: Final = "dev"
_TARGET: Final = "projects-target"  # the logical name of the project that pipelines deploy to
_RELEASE: Final = "kubernetes:helm.sh/v3:Release"
_REPETITIONS: Final = 3
_HALF_A_SECOND: Final = 0.5  # Kubernetes tells moments in whole seconds
_APPLICATIONS: Final = "kapsule-dev"

MEANING = (
    "pulumi up of dev from nothing, its preview included, over the longest chain of operations that cannot overlap"
)
MEANING_OF_ARTICLE = (
    "pulumi up of dev and, side by side, of the applications' cluster, over the article's commands one after another"
)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One repetition. `applications` is the update of their cluster; `together` is how long both took side by side."""

    environment: Recorded
    applications: Update
    together: float


def measure(bench: Bench, used: Latencies | None = None) -> Iterator[Figure]:
    """Both figures. A repetition takes as long as a cluster and a pool do, and a minute; so there are few."""
    used, repetitions = used or latencies.defaults(), min(bench.repetitions, _REPETITIONS)
    runs = []
    for number in range(1, repetitions + 1):
        bench.say(f"dev and the applications' cluster from nothing, {number} of {repetitions}")
        folder = bench.folder / f"up-{number}"
        folder.mkdir()
        runs.append(_run(folder, used))
    yield from figures(runs, used, article.commands())


def figures(runs: Sequence[Run], used: Latencies, commands: Sequence[article.Command]) -> Iterator[Figure]:
    """Pure. The details are those of the run whose ratio is the median."""
    paces = {"cluster_seconds": used.cluster, "pool_seconds": used.pool}
    chosen = _middle(runs, [run.environment.ratio for run in runs])
    yield Figure(
        name="up_over_longest_chain",
        unit=RATIO,
        values=[run.environment.ratio for run in runs],
        meaning=MEANING,
        at_most=1.10,
        details=paces | chosen.environment.details(),
    )
    by_hand = sum(command.seconds(used) for command in commands)
    devops = sum(command.seconds(used) for command in commands if command.cluster != _APPLICATIONS)
    ratios = [run.together / by_hand for run in runs]
    chosen = _middle(runs, ratios)
    alone = chosen.environment.seconds
    yield Figure(
        name="up_over_article",
        unit=RATIO,
        values=ratios,
        meaning=MEANING_OF_ARTICLE,
        at_most=0.6,
        details=paces
        | {
            "together_seconds": round(chosen.together, 2),
            "environment_seconds": round(alone, 2),
            "applications_seconds": round(chosen.applications.seconds, 2),
            "article_seconds": round(by_hand, 2),
            "article": [
                {"command": c.command, "seconds": round(c.seconds(used), 2), "known": c.known} for c in commands
            ],
            # What the ratio owes to working side by side.
            "one_after_the_other_over_article": round((alone + chosen.applications.seconds) / by_hand, 4),
            "environment_alone_over_its_part_of_the_article": round(alone / devops, 4),
        },
    )


def _middle(runs: Sequence[Run], values: Sequence[float]) -> Run:
    order = sorted(range(len(runs)), key=lambda number: values[number])
    return runs[order[len(order) // 2]]


# --- one repetition -----------------------------------------------------------------------------------------------------


def _run(folder: Path, used: Latencies) -> Run:
    estate = Estate(folder)
    estate.start()
    try:
        running = Running.of(Folder(estate.folder))
        assert running is not None, "it has just been started"
        used.set_in(running)
        return _side_by_side(estate)
    finally:
        estate.stop()


def _side_by_side(estate: Estate) -> Run:
    environment = estate.variables()
    applications = estate.checkout / "examples" / "app-cluster"
    for program in (estate.checkout, applications):
        init(program, STACK, environment)
    begun: list[Future[Update]] = []
    with ThreadPoolExecutor(1) as pool:

        def heard(stamped: Stamped) -> None:
            if (project := _target(stamped.event)) and not begun:
                own = environment | {
                    "SCW_DEFAULT_PROJECT_ID": project,
                    "SCW_DEFAULT_REGION": "fr-par",
                    "SCW_DEFAULT_ZONE": "fr-par-1",
                }
                begun.append(pool.submit(update, applications, STACK, own))

        made = update(estate.checkout, STACK, environment, heard=heard)
        assert begun, f"no project {_TARGET} was made"
        other = begun[0].result()
    return Run(
        environment=_recorded(estate, environment, made),
        applications=other,
        together=max(made.ended, other.ended) - made.began,
    )


def _target(event: Mapping[str, Any]) -> str | None:
    """The id of the project that pipelines deploy to, once it is there; a preview has none."""
    step = (event.get("resOutputsEvent") or {}).get("metadata") or {}
    if not step.get("urn", "").endswith(f"::{_TARGET}"):
        return None
    found = (step.get("new") or {}).get("id")
    return str(found) if found else None


def _recorded(estate: Estate, environment: Mapping[str, str], made: Update) -> Recorded:
    known = resources(estate.checkout, STACK, environment)
    return Recorded(
        began=made.began,
        ended=made.ended,
        events=made.events,
        needs=needs(known),
        unseen=_unseen_of_scaleway(estate, known) | _unseen_of_kubernetes(estate, known, made),
    )


def _unseen_of_scaleway(estate: Estate, known: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """By URN, how long a cluster or a pool was there before the provider asked for it again."""
    there = {cluster["id"]: pace.seconds_of(cluster) for cluster in estate.records(CLUSTERS)}
    for node in estate.records(NODES):
        there[node["pool_id"]] = max(there.get(node["pool_id"], 0.0), pace.seconds_of(node))
    found = unseen(estate.ask("scaleway", "/_sandbox/requests"), there)
    by_id = {str(r.get("id", "")).rpartition("/")[2]: str(r["urn"]) for r in known}
    return {by_id[thing]: seconds for thing, seconds in found.items() if thing in by_id}


def _unseen_of_kubernetes(estate: Estate, known: Sequence[Mapping[str, Any]], made: Update) -> dict[str, float]:
    """By URN, how long a release's deployment was available before the provider went on, to half a second."""
    unix = time.time() - time.monotonic()
    ended = {urn: end for urn, (_, end) in spans(after_preview(made.events)).items()}
    found = {}
    with estate.kubernetes(STACK) as client:
        for release in known:
            if kind(release["urn"]) != _RELEASE:
                continue
            name, namespace = release["outputs"]["name"], release["outputs"]["namespace"]
            status = client.get(Deployment, name, namespace=namespace).status
            (available,) = (c for c in (status and status.conditions) or () if c.type == "Available")
            assert available.lastTransitionTime is not None
            there = available.lastTransitionTime.timestamp() + _HALF_A_SECOND
            found[release["urn"]] = max(0.0, ended[release["urn"]] + unix - there)
    return found


# --- by itself ----------------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints both figures as JSON. Exit code 1: a limit is not kept."""
    parser = command_line.parser("python -m benchmarks.up", __doc__)
    parser.add_argument(
        "--factor", type=float, default=1.0, help="scales how long a cluster and a pool take (default 1)"
    )
    parser.add_argument("--cluster", type=float, metavar="SECONDS", help="how long a cluster takes")
    parser.add_argument("--pool", type=float, metavar="SECONDS", help="how long a pool takes")
    parser.add_argument("--repetitions", type=int, default=1)
    given = parser.parse_args(arguments)
    used = latencies.defaults()
    used = replace(used, cluster=given.cluster or used.cluster, pool=given.pool or used.pool).scaled(given.factor)
    with by_hand(given.repetitions) as bench:
        found = list(measure(bench, used))
    print(json.dumps({figure.name: figure.record() for figure in found}, indent=2))
    return 0 if all(figure.kept for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
