"""What exists and the state does not know, and what to do with each. Pure.

Owns the comparison. Does not own how a thing is found (`kinds`) nor how it is told or done (`steps`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from repair.kinds import Found, Kind, Kinds
from repair.resources import Resource, known


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """A thing that the state takes as the resource that is still to be made."""

    resource: Resource
    kind: Kind
    found: Found


@dataclass(frozen=True, kw_only=True)
class Extra:
    """A thing that is there beside the resource. `resource` is what it looks like one of."""

    resource: Resource
    kind: Kind
    found: Found

    @property
    def removable(self) -> bool:
        """What is in use is for a person to look at."""
        return self.kind.remove is not None and not self.found.in_use


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """A thing with the name that a resource is to have, which says of itself that it is something else."""

    resource: Resource
    kind: Kind
    found: Found


@dataclass(frozen=True, kw_only=True)
class Findings:
    adoptions: tuple[Adoption, ...] = ()
    extras: tuple[Extra, ...] = ()
    foreign: tuple[Foreign, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.adoptions or self.extras or self.foreign)


Look = Callable[[Resource, Kind], Iterable[Found]]


def compare(resources: Sequence[Resource], kinds: Kinds, look: Look) -> Findings:
    """What `look` finds of the resources and none of them is. Nothing is looked for by inputs that are not known yet."""
    taken = {(r.type, r.id) for r in resources if r.made}
    adoptions: list[Adoption] = []
    extras: dict[tuple[str, str], Extra] = {}
    foreign: list[Foreign] = []
    for resource in resources:
        kind = kinds.get(resource.type)
        if kind is None or not known(resource.inputs, *kind.needs):
            continue
        unknown = [f for f in look(resource, kind) if (resource.type, f.id) not in taken]
        others = [f for f in unknown if not _says_the_same(resource, f)]
        ours = [f for f in unknown if f not in others]
        if kind.adoptable and not resource.made:
            if ours:
                # What is used already, else what was made first: the rest came of trying again.
                first = min(ours, key=lambda f: (not f.in_use, f.made, f.id))
                adoptions.append(Adoption(resource=resource, kind=kind, found=first))
                taken.add((resource.type, first.id))
                ours.remove(first)
            foreign += [Foreign(resource=resource, kind=kind, found=f) for f in others]
        for each in ours:
            extras.setdefault((resource.type, each.id), Extra(resource=resource, kind=kind, found=each))
    return Findings(
        adoptions=tuple(sorted(adoptions, key=lambda each: each.resource.urn)),
        # What looks like one of several resources may have been taken in as another of them.
        extras=tuple(extras[key] for key in sorted(extras) if key not in taken),
        foreign=tuple(sorted(foreign, key=lambda each: each.resource.urn)),
    )


def _says_the_same(resource: Resource, found: Found) -> bool:
    return found.description is None or found.description == resource.inputs.get("description", "")
