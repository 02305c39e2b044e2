"""GitLab runners: for one project, for jobs that name them, and for protected branches where their key can write."""

from collections.abc import Iterator, Sequence

from .base import UNKNOWN, Properties, Resource, ResourceRule, StackRule, Violation, at, items, named, problem
from .iam import POLICY

RUNNER = "gitlab:index/userRunner:UserRunner"
_READS = ("ReadOnly", "Read")
GIVEN_KEY_READS = "Its key is made by a person and only reads."


def are_bound(props: Properties) -> Iterator[str]:
    """Nothing is left to GitLab's defaults: a missing value is refused."""
    runner = named("runner", props.get("description"))
    for key, wanted, wrong, consequence in (
        ("runnerType", "project_type", "is not a project runner", "other projects' jobs run with its key"),
        ("locked", True, "is not locked", "a maintainer elsewhere can enable it for another project"),
        ("untagged", False, "may run untagged jobs", "jobs that never asked for its key run with it"),
    ):
        if props.get(key) is not UNKNOWN and props.get(key) != wanted:
            shown = f'"{wanted}"' if isinstance(wanted, str) else wanted
            yield problem(f"{runner} {wrong}", f"{key} must be {str(shown).lower()}", consequence, f"set {key}={shown}")
    if not props.get("accessLevel"):
        yield problem(
            f"{runner} does not say whose jobs it runs",
            "accessLevel must be ref_protected or not_protected",
            "it runs those of any branch",
            'set accessLevel="ref_protected"',
        )
    if props.get("tagLists") is not UNKNOWN and not items(props, "tagLists"):
        yield problem(
            f"{runner} has no tag",
            "tagLists must name at least one",
            "no job can ask for it",
            'set tagLists=["k8s-ENV-runner"]',
        )


def are_protected_where_keys_write(resources: Sequence[Resource]) -> Iterator[Violation]:
    """The key of a runner is that of the IAM policies below the nearest component around it that has any.

    A missing access level is GitLab's default, not_protected. Where no policy is found nothing shows that the key only
    reads: then the runner must be protected, or say that a person has made its key (`maintenanceNote`, which GitLab shows).
    """
    parents = {r.urn: r.parent for r in resources}
    for runner in (r for r in resources if r.type == RUNNER):
        if runner.props.get("accessLevel") in (UNKNOWN, "ref_protected"):
            continue
        policies = _policies_near(runner, [r for r in resources if r.type == POLICY], parents)
        rules = [rule for policy in policies for rule in items(policy.props, "rules")]
        sets = [name for rule in rules for name in items(rule, "permissionSetNames")]
        unknown = any(at(policy.props, "rules") is UNKNOWN for policy in policies) or any(
            at(rule, "permissionSetNames") is UNKNOWN for rule in rules
        )
        writing = sorted(name for name in sets if isinstance(name, str) and not name.endswith(_READS))
        if writing:
            what = f"its key may write ({', '.join(writing)})"
        elif not policies and runner.props.get("maintenanceNote") == GIVEN_KEY_READS:
            continue
        elif not sets and not unknown:
            what = "no IAM policy beside it shows that its key only reads"
        else:
            continue
        yield Violation(
            runner.urn,
            problem(
                f"{named('runner', runner.props.get('description'))} is not protected and {what}",
                "only a runner whose permission sets all end in ReadOnly or Read may run jobs of any branch",
                "whoever can push a branch can use the key",
                'set accessLevel="ref_protected", or give it permission sets that only read',
            ),
        )


def _policies_near(runner: Resource, policies: Sequence[Resource], parents: dict[str, str]) -> list[Resource]:
    """Outward from the runner's own parent; the stack, which everything is below, only where it is that parent."""
    around = runner.parent
    while not (found := [policy for policy in policies if _is_below(policy.urn, around, parents)]):
        around = parents.get(around, "")
        if not parents.get(around):
            break
    return found


def _is_below(urn: str, ancestor: str, parents: dict[str, str]) -> bool:
    while urn := parents.get(urn, ""):
        if urn == ancestor:
            return True
    return False


RULES = (
    ResourceRule(
        name="runners-are-bound",
        description="GitLab runners serve one project, jobs that name their tag, and branches that they say.",
        types=(RUNNER,),
        check=are_bound,
    ),
    StackRule(
        name="writing-runners-are-protected",
        description="A GitLab runner whose key can write runs jobs of protected branches only.",
        check=are_protected_where_keys_write,
    ),
)
