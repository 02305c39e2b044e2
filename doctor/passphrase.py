"""The passphrase of Pulumi's secrets: whether one is needed, is there, and is readable for its owner alone.

Of its file only the attributes are looked at: it is never read nor shown. Whether it is the right one, the engine can tell.
Source: Pulumi, "Secrets", PULUMI_CONFIG_PASSPHRASE and PULUMI_CONFIG_PASSPHRASE_FILE; the first wins.
"""

import shlex
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from doctor.verdicts import Check, ok, wrong

VARIABLE: Final = "PULUMI_CONFIG_PASSPHRASE"
FILE: Final = "PULUMI_CONFIG_PASSPHRASE_FILE"
_OTHERS: Final = 0o077  # the permissions of who is not the owner
_MAKE: Final = f"umask 077; openssl rand -base64 32 > passphrase; export {FILE}=$PWD/passphrase"


def passphrase_check(environment: Mapping[str, str], header: Mapping[str, Any], backend: str | None) -> Check:
    """`header` is the stack file without its settings; `backend` the address of the state, None where it is not known."""
    provider = str(header.get("secretsprovider") or "")
    if provider not in ("", "default", "passphrase"):
        return ok(f"no passphrase: the secrets provider is {provider.partition('://')[0]}")
    cloud = backend is None or backend.startswith(("https://", "http://"))
    if cloud and provider != "passphrase" and not header.get("encryptionsalt"):
        return ok("no passphrase: Pulumi Cloud keeps the secrets' key")
    if VARIABLE in environment:
        if environment[VARIABLE]:
            return ok(f"the secrets' passphrase is in {VARIABLE}")
        return wrong(
            f"{VARIABLE} is empty: it must hold the passphrase, or whoever has the state can read its secrets",
            f"unset {VARIABLE}; {_MAKE}",
        )
    named = environment.get(FILE)
    if not named:
        return wrong(
            f"neither {FILE} nor {VARIABLE} is set: one of them must be, or the engine cannot read the stack's secrets",
            f"export {FILE}=FILE; for a new stack: {_MAKE}",
        )
    return _file_check(Path(named))


def _file_check(path: Path) -> Check:
    say = shlex.quote(str(path))
    try:
        found = path.stat()
    except OSError as error:
        return wrong(
            f"{path} ({FILE}) cannot be read ({error.strerror}): it must hold the passphrase, or the engine cannot read "
            "the stack's secrets",
            f"export {FILE}=FILE",
        )
    if not stat.S_ISREG(found.st_mode) or not found.st_size:
        what = "is empty" if stat.S_ISREG(found.st_mode) else "is no file"
        return wrong(
            f"{path} ({FILE}) {what}: it must hold the passphrase, or the engine cannot read the stack's secrets",
            f"export {FILE}=FILE",
        )
    if found.st_mode & _OTHERS:
        return wrong(
            f"{path} ({FILE}) has mode {stat.S_IMODE(found.st_mode):04o}: must be 0600, readable for its owner alone, or "
            "others on this machine can read the stack's secrets",
            f"chmod 600 {say}",
        )
    return ok(f"the secrets' passphrase is in {path}, readable for its owner alone")
