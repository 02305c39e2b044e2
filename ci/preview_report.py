"""Reports what `pulumi preview` found: in the log, as a file, for the merge request's widget, and as a note.

  python -m ci.preview_report --preview dev=dev.json --preview prod=prod.json \\
    --markdown preview.md --widget tfplan.json --post

Each FILE is the JSON of `pulumi preview --json`, or an event log (`pulumi preview --event-log FILE`, or what
PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true writes), which also tells violated policies.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml

from ci import command_line, note, terminal
from ci.errors import CiError, all_problems
from ci.files import UnusableError, opened
from ci.known_secrets import known_secrets
from ci.previews import Preview, read_preview
from ci.private_files import write
from ci.redaction import Redactor
from ci.report import Report, Run
from ci.streams import tolerate_encodings
from ci.yaml_text import parse_yaml

MAX_PROGRAM_BYTES: Final = 1_000_000  # of Pulumi.yaml, of which the project's name is read
_EPILOG = """
--post writes one note for each project and stack to the merge request of the pipeline and edits it from then on. It needs
GitLab's variables and a project access token (scope api, role Reporter) in PRIVATE_TOKEN. In a pipeline of a fork's merge
request, or of none, it says so and writes no note.

What is secret becomes [secret]: what the engine marks, what environment variables named TOKEN, SECRET, PASSWORD, KEY and the
like hold, what the configuration files of scw, aws, pulumi and kubectl hold, and what looks like a token or a private key.

Exit codes: 0 the report is written, also where it says that a preview failed (fail the pipeline by the exit code of
`pulumi preview` itself); 1 an error of this tool, such as a file that is no preview, or GitLab's refusal; 2 wrong arguments.
"""


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    given = _parser().parse_args(arguments)
    tolerate_encodings()
    secrets, warnings = known_secrets(environ)
    redactor = Redactor(secrets)
    try:
        previews = _read(given.previews)
        if found := frozenset().union(*(p.plain_secrets for p in previews)):
            redactor = Redactor(secrets | found)
        project = _project() if any(not p.project for p in previews) else ""
        reports = [Report(p, redactor, Run.of(environ), project) for p in previews]
        for warning in warnings:
            print(f"warning: {redactor.text(warning)}", file=sys.stderr)
        _write_files(given, reports)
        colour = terminal.wants_colour(sys.stdout, environ)
        print("\n".join(terminal.text(each, colour=colour) for each in reports))
        if given.post:
            for line in _post(reports, given.limit, environ):
                print(redactor.text(line))
    except CiError as error:
        sys.stdout.flush()
        print(f"error: {redactor.text(str(error))}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = command_line.parser("python -m ci.preview_report", __doc__, epilog=_EPILOG)
    parser.add_argument(
        "--preview", dest="previews", metavar="STACK=FILE", type=_stack_and_file, action=_Once, required=True,
        help="a stack and what its preview wrote; once for each stack",
    )  # fmt: skip
    parser.add_argument("--markdown", metavar="OUT.md", type=Path, help="write the report as Markdown")
    parser.add_argument(
        "--widget", metavar="OUT.json", type=Path,
        help="write the counts of all stacks for artifacts:reports:terraform; a replacement is a creation and a deletion",
    )  # fmt: skip
    parser.add_argument("--post", action="store_true", help="write the report to the merge request of this pipeline")
    parser.add_argument(
        "--limit", metavar="CHARACTERS", type=_limit, default=note.DEFAULT_LIMIT,
        help=f"the longest note, {note.MIN_LIMIT:,} to {note.MAX_NOTE:,} characters (default {note.DEFAULT_LIMIT:,})",
    )  # fmt: skip
    return parser


class _Once(argparse.Action):
    """Collects pairs; a stack that comes twice would have two reports in one note."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: object, *_: object
    ) -> None:
        known: dict[str, Path] = dict(getattr(namespace, self.dest) or {})
        assert isinstance(values, tuple)
        if values[0] in known:
            parser.error(f"--preview names the stack {values[0]} twice")
        setattr(namespace, self.dest, known | {values[0]: values[1]})


def _stack_and_file(text: str) -> tuple[str, Path]:
    stack, equals, file = text.partition("=")
    if not stack or not equals or not file:
        raise argparse.ArgumentTypeError("must be STACK=FILE, such as dev=preview.json")
    return stack, Path(file)


def _limit(text: str) -> int:
    if not text.isdecimal() or not note.MIN_LIMIT <= int(text[:9]) <= note.MAX_NOTE:
        raise argparse.ArgumentTypeError(f"must be a number from {note.MIN_LIMIT} to {note.MAX_NOTE}")
    return int(text)


def _read(files: Mapping[str, Path]) -> list[Preview]:
    """Every preview; or one error with all that is wrong with the files."""
    found, problems = [], []
    for stack, file in files.items():
        try:
            found.append(read_preview(stack, file))
        except CiError as error:
            problems.append(str(error))
    if problems:
        raise all_problems(problems)
    return found


def _project() -> str:
    """The project's name where a preview that failed early holds no resource: that of the program in this folder."""
    try:
        with opened(Path("Pulumi.yaml"), MAX_PROGRAM_BYTES) as stream:
            program = parse_yaml(stream.read())
    except (UnusableError, yaml.YAMLError):
        return ""
    name = program.get("name") if isinstance(program, dict) else None
    return name if isinstance(name, str) else ""


def _write_files(given: argparse.Namespace, reports: Sequence[Report]) -> None:
    texts = []
    if given.markdown:
        texts.append((given.markdown, note.document(reports, given.limit)))
    if given.widget:
        counts = [report.widget() for report in reports]
        total = {name: sum(c[name] for c in counts) for name in ("create", "update", "delete")}
        texts.append((given.widget, json.dumps(total) + "\n"))
    problems = []
    for file, text in texts:
        try:
            write(file, text)
        except OSError as error:
            problems.append(f"{file} cannot be written: {error.strerror or type(error).__name__}.")
    if problems:
        raise all_problems(problems)


def _post(reports: Sequence[Report], limit: int, environ: Mapping[str, str]) -> list[str]:
    # Here, because only this needs GitLab's client, which takes longer to load than a report takes to write.
    from ci.gitlab_client import connect
    from ci.merge_request_notes import Note, merge_request_of, write_notes

    where = merge_request_of(environ)
    if isinstance(where, str):
        return [where]
    notes = []
    for report in reports:
        marker = note.marker(report)

        def body(notice: str, report: Report = report, room: int = limit - len(marker) - 1) -> str:
            return note.markdown(report, room, notice)

        notes.append(Note(marker=marker, about=report.stack, body=body))
    with connect(environ, role="Reporter") as client:
        return write_notes(client, where, notes)


if __name__ == "__main__":
    sys.exit(main())
