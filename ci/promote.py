"""`python -m ci.promote`: opens the merge request that promotes a branch to the next environment, or brings it up to date.

Owns the command line and which variables of the job stand in for its flags. Does not own what is done (`promotion`) nor how
GitLab is reached (`gitlab_client`).

Exit codes: 0 done, or nothing to do; 1 it could not be done, and one line says why; 2 wrong usage.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from ci import command_line
from ci.errors import CiError
from ci.gitlab_client import TOKEN, connect
from ci.promotion import Person, Promotion, promote
from ci.redaction import Redactor
from ci.streams import tolerate_encodings

_ABOUT = """\
Opens the merge request that promotes a branch to the next environment, or
brings the open one up to date. In a job, variables say what flags do not:

  --target    TARGET_BRANCH
  --source    CI_COMMIT_REF_NAME, CI_COMMIT_BRANCH
  --project   CI_PROJECT_ID
  --url       CI_API_V4_URL, CI_SERVER_URL
  --assignee  GITLAB_USER_MAILINGLIST_ID
  --reviewer  PROMOTION_REVIEWERS (with commas between)

PRIVATE_TOKEN holds the token: scope api, role Developer or higher.
"""
_VARIABLES = {
    "target": ("TARGET_BRANCH",),
    "source": ("CI_COMMIT_REF_NAME", "CI_COMMIT_BRANCH"),
    "project": ("CI_PROJECT_ID",),
    "assignee": ("GITLAB_USER_MAILINGLIST_ID",),
    "reviewer": ("PROMOTION_REVIEWERS",),
}


def parser() -> argparse.ArgumentParser:
    flags = command_line.parser("python -m ci.promote", _ABOUT)
    flags.add_argument("--target", metavar="BRANCH", help="branch that gets the changes")
    flags.add_argument("--source", metavar="BRANCH", help="branch that has them")
    flags.add_argument("--project", metavar="ID|PATH", help="GitLab project")
    flags.add_argument("--url", help="GitLab's address")
    flags.add_argument("--title", help="title of a new one (default: Deployment to TARGET)")
    flags.add_argument("--assignee", metavar="ID|@NAME", help="set where nobody is")
    flags.add_argument("--reviewer", metavar="ID|@NAME", action="append", help="added; may be repeated")
    return flags


def wanted(flags: argparse.Namespace, environment: Mapping[str, str]) -> Promotion:
    """What flags and variables ask for together. A variable that is empty is as good as none."""
    target, source, project = (_required(flags, environment, name) for name in ("target", "source", "project"))
    if source == target:
        raise CiError(
            f"source and target are both {target}: a promotion must lead to another branch, or there is nothing to merge. "
            "Fix: --target BRANCH (TARGET_BRANCH), or run the job on another branch"
        )
    assignees, reviewers = (_people(flags, environment, name) for name in ("assignee", "reviewer"))
    return Promotion(
        project=project,
        source=source,
        target=target,
        title=(flags.title or "").strip() or f"Deployment to {target}",
        assignee=assignees[0] if assignees else None,
        reviewers=reviewers,
    )


def _found(flags: argparse.Namespace, environment: Mapping[str, str], name: str) -> tuple[list[str], str]:
    """The values given for a flag, and by what: the flag itself goes before its variables."""
    given = getattr(flags, name)
    if given:
        return given if isinstance(given, list) else [given], f"--{name}"
    for variable in _VARIABLES[name]:
        if environment.get(variable, "").strip():
            return [environment[variable]], variable
    return [], ""


def _required(flags: argparse.Namespace, environment: Mapping[str, str], name: str) -> str:
    values, _ = _found(flags, environment, name)
    text = values[0].strip() if values else ""
    if not text:
        variables = " or ".join(_VARIABLES[name])
        raise CiError(
            f"no {name} is given: --{name} or {variables} must say it, or it is not known what to promote. "
            f"Fix: --{name} {'GROUP/PROJECT' if name == 'project' else 'BRANCH'}"
        )
    return text


def _people(flags: argparse.Namespace, environment: Mapping[str, str], name: str) -> list[Person]:
    values, origin = _found(flags, environment, name)
    texts = [part.strip() for value in values for part in value.split(",")]
    if "@" in texts:
        raise CiError(f"{origin} holds an @ without a name: it must be an id or @NAME. Fix: {origin} @NAME")
    return [Person(text=text, origin=origin) for text in texts if text]


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    tolerate_encodings()
    flags = parser().parse_args(arguments)
    redactor = Redactor([environment.get(TOKEN, "").strip()])  # a server may repeat it anywhere
    try:
        asked = wanted(flags, environment)
        with connect(environment, url=flags.url, role="Developer") as client:
            lines = promote(client, asked)
    except CiError as error:
        print(f"error: {redactor.text(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print("\n".join(map(redactor.text, lines)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
