"""Ways to run the same preview: what the program does to be quick is taken back, and what it might do is added.

Owns the edits of a copy of the checkout, and that they are undone. Does not own what is measured with them.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Edit:
    """In `file`, relative to the checkout, `old` is there exactly once and becomes `new`."""

    file: str
    old: str
    new: str


VARIANTS: Final[Mapping[str, Sequence[Edit]]] = {
    "all of the SDKs imported": [
        Edit(
            file="sdks.py",
            old='SDKS: Final = ("pulumi_gitlab", "pulumi_kubernetes", "pulumiverse_scaleway")',
            new="SDKS: Final = ()",
        )
    ],
    "the engine told of each step of the SDK": [
        Edit(file="sdks.py", old="    pulumi.log.debug = _unheard\n", new="    pass\n")
    ],
    "garbage looked for": [Edit(file="sdks.py", old="gc.disable()\n", new="")],
    "GitLab asked after Scaleway": [
        Edit(
            file="__main__.py",
            old="found = look_up_projects(config)\naccount_check.check(config)\n",
            new="account_check.check(config)\nfound = look_up_projects(config)\n",
        )
    ],
    "no question whose account it is": [Edit(file="__main__.py", old="account_check.check(config)\n", new="")],
    "no question how GitLab's projects merge": [
        Edit(
            file="components/gitlab_project.py",
            old="        warn_of_merge_settings(args.path, args.found, args.settings.url, self)\n",
            new="",
        )
    ],
}


class EditError(Exception):
    """An edit does not fit the file any more; the message names both."""


@contextmanager
def edited(checkout: Path, edits: Sequence[Edit]) -> Iterator[None]:
    """The checkout with these edits, until the block ends. Raises EditError before anything is changed."""
    originals: dict[Path, str] = {}
    changed: dict[Path, str] = {}
    for edit in edits:
        file = checkout / edit.file
        text = changed.get(file) or originals.setdefault(file, file.read_text())
        if text.count(edit.old) != 1:
            raise EditError(f"{edit.file} holds {text.count(edit.old)} times, not once: {edit.old!r}")
        changed[file] = text.replace(edit.old, edit.new)
    try:
        for file, text in changed.items():
            file.write_text(text)
        yield
    finally:
        for file, text in originals.items():
            file.write_text(text)
