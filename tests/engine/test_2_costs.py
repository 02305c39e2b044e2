"""What an environment of the sandbox costs, at the stand-in's prices."""

import pytest

from tests.engine.estate import Estate

pytestmark = pytest.mark.usefixtures("environments")


def test_an_environment_of_the_sandbox_is_priced(estate: Estate) -> None:
    result = estate.shell("make costs")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "dev: nodes in fr-par-1" in result.stdout
    assert "155.62" in result.stdout
