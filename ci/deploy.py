"""`python -m ci.deploy --stack dev`: deploys an environment from the plan that was reviewed.

In the pipeline of a push, the plan is the artifact that the preview of the commit's merge request has left. What would be
done now is previewed and compared with it: where it no longer fits, the job fails, says what is otherwise, and has changed
nothing. Where it fits, the engine is held to it (`pulumi up --plan`). Any other pipeline (of a schedule, or started by a
person) has no reviewed plan and does what its own preview shows.

Exit codes: 0 deployed, or nothing to do; 1 the plan does not fit, there is none, or GitLab refuses; 2 wrong usage; else
that of pulumi.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ci import command_line, private_files, terminal
from ci.engine import Engine, Record, engine_of
from ci.errors import CiError
from ci.known_secrets import known_secrets
from ci.plans import Plan, departures, enforceable, read_plan
from ci.previews import read_events, read_preview
from ci.redaction import Redactor
from ci.report import Report, Run
from ci.steps import PART_OF_REPLACE, record
from ci.streams import tolerate_encodings

# A replacement's parts are told; of what an interrupted one left, only the state forgets the rest.
_UNTOLD = frozenset({"same", "refresh", "read", "replace", "remove-pending-replace"})

# Of each step that was planned and not tried, as are all behind one that failed: then that one tells it.
_MISSED = "expected resource operations for "


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """A reviewed plan, and how it is named."""

    plan: Plan
    name: str


@dataclass(frozen=True, kw_only=True)
class Log:
    """Where everything is told, without secrets."""

    redactor: Redactor
    colour: bool

    def say(self, text: str) -> None:
        print(self.redactor.text(text), flush=True)


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    given = _parser().parse_args(arguments)
    tolerate_encodings()
    secrets, warnings = known_secrets(environ)
    log = Log(redactor=Redactor(secrets), colour=terminal.wants_colour(sys.stdout, environ))
    for warning in warnings:
        log.say(f"warning: {warning}")
    try:
        engine = engine_of(given.stack, given.policy_packs, environ)
        reviewed = _reviewed(given, environ, log)
        with tempfile.TemporaryDirectory() as folder:  # of this user only
            return _deploy(engine, reviewed, Path(folder), Run.of(environ), log)
    except CiError as error:
        sys.stdout.flush()
        print(f"error: {log.redactor.text(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    flags = command_line.parser("python -m ci.deploy", __doc__)
    flags.add_argument("--stack", metavar="STACK", type=command_line.stack, required=True, help="the environment")
    flags.add_argument(
        "--policy-pack", dest="policy_packs", metavar="FOLDER", action="append", default=[], help="may be repeated"
    )
    flags.add_argument("--plan", metavar="FILE", type=Path, help="the reviewed plan, where it is at hand")
    flags.add_argument("--job", metavar="NAME", help="the job that made the plan (default: preview:STACK)")
    flags.add_argument("--artifact", metavar="PATH", default="plan.json", help="its artifact (default: plan.json)")
    return flags


def _reviewed(given: argparse.Namespace, environ: Mapping[str, str], log: Log) -> Reviewed | None:
    if given.plan:
        return Reviewed(plan=read_plan(given.plan, given.stack), name=str(given.plan))
    source = environ.get("CI_PIPELINE_SOURCE", "")
    if source != "push":
        log.say(f"No reviewed plan: {f'this pipeline is of a {source}' if source else 'this is no pipeline'}.\n")
        return None
    # Here, because only this needs GitLab's client, which takes a while to load.
    from ci.gitlab_client import connect
    from ci.reviewed_plan import Wanted, find_reviewed_plan

    wanted = Wanted.of(environ, given.job or f"preview:{given.stack}", given.artifact)
    with connect(environ, role="Developer") as client:
        found = find_reviewed_plan(client, wanted)
    log.say(f"The plan was reviewed in !{found.merge_request}: {found.job_url}\n")
    return Reviewed(plan=found.plan, name=f"!{found.merge_request}")


def _deploy(engine: Engine, reviewed: Reviewed | None, folder: Path, run: Run, log: Log) -> int:
    events, file = folder / "events.jsonl", folder / "plan.json"
    code, said = engine.preview(events, file)
    if said.strip():
        log.say(said.strip())
    if code and not events.stat().st_size:  # it ended before the program began, and said why
        return code
    try:
        report = Report(read_preview(engine.stack, events), log.redactor, run)
    except CiError:
        if not code:
            raise
        log.say("What pulumi wrote ends too early. Nothing was deployed.")
        return code
    print(terminal.text(report, colour=log.colour), flush=True)
    if code:
        log.say("Nothing was deployed.")
        return code
    held = None
    if reviewed is not None:
        now = read_plan(file, engine.stack)
        found = departures(reviewed.plan, now)
        if found:
            print(terminal.departures(report, found, colour=log.colour), flush=True)
            raise _does_not_fit(reviewed, len(found))
        held = enforceable(now)
        log.say(f"The plan of {reviewed.name} fits.")
        if held is None:
            log.say("The engine is not held to it: a provider, such as that of a new cluster, is only known later.")
    return _update(engine, held, folder, report, run, log)


def _update(engine: Engine, held: Plan | None, folder: Path, report: Report, run: Run, log: Log) -> int:
    file = folder / "held.json"
    if held is not None:
        private_files.write(file, held.written())
    events: list[str] = []
    missed: list[str] = []
    failed = False
    with engine.update(file if held else None) as update:
        for found in update.output():
            if isinstance(found, str):
                if found:
                    log.say(found)
                continue
            if done := _done(found):
                print(terminal.progress(report, *done, colour=log.colour), flush=True)
            said = record(found.get("diagnosticEvent"))
            if _MISSED in str(said.get("message")):
                missed.append(json.dumps(found))
            elif said.get("severity") != "debug":
                failed |= said.get("severity") == "error"
                events.append(json.dumps(found))
        code = update.code()
    if not failed:
        events = [*missed, *events]
    if not events:
        return code
    try:
        outcome = Report(read_events(engine.stack, events), log.redactor, run)
    except CiError as error:  # as where the engine was killed; its code says how that ended
        log.say(f"warning: {error}")
        return code
    print("\n" + terminal.outcome(outcome, colour=log.colour), flush=True)
    return code


def _done(event: Record) -> tuple[str, str] | None:
    """The resource and the operation that an event tells the end of; components are only folders."""
    for kind in ("resOutputsEvent", "resOpFailedEvent"):
        step = record(record(event.get(kind)).get("metadata"))
        urn, operation = str(step.get("urn", "")), str(step.get("op", ""))
        state = record(step.get("new")) or record(step.get("old"))
        if not urn or operation in _UNTOLD or state.get("custom") is False:
            continue
        if kind == "resOpFailedEvent":
            return urn, "failed"
        return urn, operation.partition("-")[0] if operation in PART_OF_REPLACE else operation
    return None


def _does_not_fit(reviewed: Reviewed, count: int) -> CiError:
    many = "1 resource" if count == 1 else f"{count} resources"
    return CiError(
        f"the plan of {reviewed.name} no longer fits ({many}; above, - is what was reviewed and + what there would be now): "
        "what nobody has reviewed is not deployed, and nothing was changed. Fix: when it is wanted as it is now, start a "
        "pipeline on this branch (Build > Pipelines > New pipeline); else merge what makes it fit"
    )


if __name__ == "__main__":
    sys.exit(main())
