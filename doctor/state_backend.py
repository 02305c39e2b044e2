"""The area `state backend`: whether it answers, whether the stack is in it, and the passphrase of its secrets.

Owns what the engine's answers mean. Does not own the passphrase's rules (`passphrase`), nor the state itself (`repair`).
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from doctor.engine import Engine, Said
from doctor.passphrase import passphrase_check
from doctor.verdicts import Check, ok, wrong

_LOGIN = (
    "pulumi login, or, with AWS_ACCESS_KEY_ID=ACCESS_KEY@PROJECT_OF_THE_BUCKET and AWS_SECRET_ACCESS_KEY, "
    "pulumi login 's3://BUCKET?endpoint=s3.fr-par.scw.cloud&region=fr-par'"
)


def checks(engine: Engine, stack: str, header: Mapping[str, Any]) -> Iterator[Check]:
    """`stack` as it was given, maybe with its organization and project."""
    said = engine.run("whoami", "--json")
    found = said.document() if said.code == 0 else None
    backend = str(found["url"]) if isinstance(found, dict) and found.get("url") else None
    if backend is None:
        yield backend_refused(said)
        yield passphrase_check(engine.environment, header, None)
        return
    yield ok(f"state backend {without_credentials(backend)}")
    yield passphrase_check(engine.environment, header, backend)
    said = engine.run("stack", "ls", "--json")
    if said.code:
        yield backend_refused(said)
    else:
        yield stack_check(said.document(), stack)


def backend_refused(said: Said) -> Check:
    return wrong(
        f"the state backend does not answer ({said.reason() or f'exit code {said.code}'}): it must, or there is no state to "
        "compare with",
        _LOGIN,
    )


def stack_check(listed: Any, stack: str) -> Check:
    """`listed` is the answer of `pulumi stack ls --json`, which leaves out what all names have in common."""
    names = [str(each.get("name")) for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    if any(f"/{stack}".endswith(f"/{name}") or f"/{name}".endswith(f"/{stack}") for name in names):
        return ok(f"stack {stack}")
    return wrong(
        f"there is no stack {stack} in this state backend: it must be there, or nothing can be previewed. If there was one, "
        "its state is lost or lies elsewhere: docs/runbooks/lost-state.md",
        f"pulumi stack init {stack}",
    )


def without_credentials(url: str) -> str:
    """The address without user, password and parameters: a database's has them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
