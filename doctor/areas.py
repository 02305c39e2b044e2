"""Which areas there are beside `tools`, in their order, and what each needs of the others.

Imports all that the areas need: who has not installed it does not get here.
"""

import logging
from collections.abc import Callable, Iterator, Mapping

from ci.known_secrets import known_secrets
from ci.redaction import Redactor
from doctor import chart, state_backend
from doctor.asking import Ask, answers
from doctor.clock import Clocks, clock_checks
from doctor.engine import Engine
from doctor.gitlab_area import GitlabArea
from doctor.scaleway_area import ScalewayArea
from doctor.stack_file import NEED_SETTINGS, read
from doctor.verdicts import Check, skipped, unknown


def asked(engine: Engine, stack: str) -> Iterator[tuple[str, list[Check]]]:
    """The checks of each area. `stack` as it was given, maybe with its organization and project."""
    # The SDK logs how it fails to read its configuration file, with what it read.
    logging.getLogger("scaleway").setLevel(logging.CRITICAL)
    short, environment, clocks = stack.rpartition("/")[2], engine.environment, Clocks()
    file = read(engine.folder, short)
    yield "settings", list(file.checks)
    settings = file.settings

    def chart_checks() -> Iterator[Check]:
        if settings is None:
            yield skipped(f"chart: {NEED_SETTINGS}")
        else:
            yield from chart.checks(environment, settings, short)

    areas: dict[str, Ask] = {
        "state backend": lambda: state_backend.checks(engine, stack, file.header),
        "Scaleway": ScalewayArea(environment=environment, file=file, clocks=clocks).checks,
        "GitLab": GitlabArea(environment=environment, file=file, stack=short, clocks=clocks).checks,
        "chart repository": chart_checks,
    }
    yield from answers(areas)
    yield "clock", list(clock_checks(clocks.offsets))


def hiding(environment: Mapping[str, str]) -> tuple[Callable[[str], str], list[Check]]:
    """What takes secrets out of a text, and a check for each file whose secrets it cannot know."""
    secrets, warnings = known_secrets(environment)
    return Redactor(secrets).text, [unknown(each) for each in warnings]
