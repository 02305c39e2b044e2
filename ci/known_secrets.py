"""The secrets that a job can know: those in its environment and in the files of the tools that it calls.

Owns where they are looked for: variables whose names say so (also GitLab's file variables, whose value is a path), the
configuration of Scaleway, AWS and Kubernetes, and Pulumi's own credentials. A file that cannot be read is told, for what it
holds is not known then.

Does not own how they are found in a text (`redaction`).
"""

import configparser
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from ci.files import UnusableError, opened
from ci.redaction import MIN_SECRET, says_secret
from ci.yaml_text import parse_yaml

# Of one such file, a hundred times what they are: YAML takes a second for each 100 kB, and a larger one would hold jobs up.
MAX_BYTES: Final = 1_000_000
# Keys of those files that hold a secret. "secret" alone is, in a kubeconfig, the name of one.
_KEYS = (
    "secret_key", "token", "password", "client-key-data", "id-token", "refresh-token", "access-token", "passphrase",
    "accesstoken", "accesstokens", "aws_secret_access_key", "aws_session_token", "client-secret", "secretkey",
)  # fmt: skip


def known_secrets(environ: Mapping[str, str], home: Path | None = None) -> tuple[frozenset[str], list[str]]:
    """The secrets, and a line for each file that exists and cannot be read. `home` is $HOME unless it is said."""
    home = home or Path(environ.get("HOME") or "/root")
    found: set[str] = set()
    warnings: list[str] = []
    for name, value in environ.items():
        if says_secret(name):
            found |= set(_content(value)) or {value}
    for path, read in _files(environ, home):
        try:
            if not path.is_file():
                continue
            with opened(path, MAX_BYTES, errors="replace") as stream:
                found |= set(read(stream.read()))
        except UnusableError as error:
            warnings.append(f"{path} {error}; what it holds cannot be told from others.")
        except (OSError, ValueError, yaml.YAMLError, configparser.Error, RecursionError) as error:
            warnings.append(
                f"{path} cannot be read ({type(error).__name__}): what it holds cannot be told from others."
            )
    return frozenset(s for s in found if len(s) >= MIN_SECRET), warnings


def _content(value: str) -> Iterator[str]:
    """The content of the file that a variable names, in place of a secret."""
    if not value.startswith("/") or "\n" in value or len(value) > 1_000:
        return
    try:
        path = Path(value)
        if path.is_file():
            with opened(path, MAX_BYTES, errors="replace") as stream:
                yield stream.read().strip()
    except (OSError, ValueError, UnusableError):
        return


def _files(environ: Mapping[str, str], home: Path) -> Iterator[tuple[Path, Any]]:
    def first(*names: str, default: str) -> Path:
        return next((Path(environ[name]) for name in names if environ.get(name)), home / default)

    yield first("SCW_CONFIG_PATH", default=".config/scw/config.yaml"), _of_yaml
    yield first("AWS_SHARED_CREDENTIALS_FILE", default=".aws/credentials"), _of_ini
    yield first("PULUMI_CREDENTIALS_PATH", "PULUMI_HOME", default=".pulumi") / "credentials.json", _of_yaml
    for path in environ.get("KUBECONFIG", "").split(":"):
        yield Path(path) if path else home / ".kube/config", _of_yaml
    # Where the runners of this project mount a job's key, whoever the job runs as.
    mounted = (Path("/root/.config/scw/config.yaml"), Path("/root/.kube/config"))
    yield from ((path, _of_yaml) for path in mounted if os.access(path, os.R_OK))


def _of_yaml(text: str) -> Iterable[str]:
    return _below(parse_yaml(text), secret=False, seen=set())  # JSON is YAML, too


def _of_ini(text: str) -> Iterable[str]:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    for section in parser.values():
        yield from (value for key, value in section.items() if key in _KEYS)


def _below(value: Any, *, secret: bool, seen: set[tuple[int, bool]]) -> Iterator[str]:
    """Every text below a key that says so. What aliases name is walked through once, or a few of them would never end."""
    if isinstance(value, dict | list):
        if (id(value), secret) in seen:
            return
        seen.add((id(value), secret))
    if isinstance(value, dict):
        named = says_secret(str(value.get("name", "")))  # of a variable that a login tool is started with
        for key, inner in value.items():
            below = secret or str(key).lower() in _KEYS or (named and key == "value")
            yield from _below(inner, secret=below, seen=seen)
    elif isinstance(value, list):
        for inner in value:
            yield from _below(inner, secret=secret, seen=seen)
    elif secret and isinstance(value, str | int):
        yield str(value)
