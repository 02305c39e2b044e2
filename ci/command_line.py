"""What commands have in common where they are called: how help is laid out, that flags are not guessed, names of stacks.

Needs nothing but Python: the doctor tells that packages are missing.
"""

from __future__ import annotations

import argparse
import re
import textwrap
from typing import Final

_STACK: Final = re.compile(r"([A-Za-z0-9_.-]+/){0,2}[A-Za-z0-9_.-]+")


class _Help(argparse.HelpFormatter):
    """Fills paragraphs to the width of the terminal, whatever width the docstring has; keeps lists and examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(
            _filled(paragraph, width, indent) for paragraph in textwrap.dedent(text).strip().split("\n\n")
        )


def _filled(paragraph: str, width: int, indent: str) -> str:
    lines = paragraph.splitlines()
    if any(line.startswith(" ") for line in lines):  # an example, or a list in columns
        return textwrap.indent(paragraph, indent)
    # A flag is not cut in two at its hyphens.
    return textwrap.fill(
        " ".join(lines), width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


def parser(command: str, about: str | None, *, epilog: str | None = None) -> argparse.ArgumentParser:
    """A parser of `command` (`python -m doctor`) whose help begins with `about`, its module's docstring.

    A flag that is cut short is refused: a later version could have another that begins so.
    """
    return argparse.ArgumentParser(
        prog=command, description=about, epilog=epilog, formatter_class=_Help, allow_abbrev=False
    )


def stack(text: str) -> str:
    """The type of an argument that names a stack, `ORGANIZATION/PROJECT/STACK` or the end of that."""
    if not _STACK.fullmatch(text):
        raise argparse.ArgumentTypeError("must be the name of a stack, such as dev")
    return text
