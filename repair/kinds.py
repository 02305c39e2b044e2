"""What can be found again of each kind of resource, and what to do with one that the state does not know.

Owns the terms, and the list of kinds. A kind that is not in it needs none: it is set and not made (an access list), or the
Kubernetes API takes it as its own again (server-side apply), or `releases` has it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from repair.resources import Inputs
from repair.services import Services


@dataclass(frozen=True, kw_only=True)
class Found:
    """A thing that exists. `id` is what Pulumi's state would call it, `made` when that was (RFC 3339; "" where not told).

    `description` is what it says of itself, where that tells ours from others'. `in_use`: something else lives in it, or
    somebody works with it.
    """

    id: str
    description: str | None = None
    made: str = ""
    in_use: bool = False


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of thing. `needs` are the inputs that it is looked for by.

    `remove` takes away one that is there twice; None where the service lets no two be. Where it is not `adoptable`, only the
    answer that was lost held its secret: it is of no use to anybody, and is removed, unless it is known to be in use.
    """

    noun: str
    needs: tuple[str, ...]
    find: Callable[[Services, Inputs], Iterable[Found]]
    remove: Callable[[Services, Inputs, str], None] | None = None
    adoptable: bool = True


Kinds = Mapping[str, Kind]


def all_kinds() -> Kinds:
    """By the type that Pulumi has for them."""
    # Here, because the services' clients take a while to load.
    from repair.kinds_gitlab import KINDS as GITLAB
    from repair.kinds_scaleway import KINDS as SCALEWAY

    return {**SCALEWAY, **GITLAB}
