"""The picture of a real stack."""

from xml.etree import ElementTree

import pytest

from tests.engine.estate import Estate

pytestmark = pytest.mark.usefixtures("environments")


def test_the_picture_of_an_environment_has_its_components_and_no_secret(estate: Estate) -> None:
    result = estate.shell("make graph ENV=dev")
    assert result.returncode == 0, result.stdout + result.stderr
    file = estate.checkout / "dev.svg"
    svg = file.read_text()
    file.unlink()
    texts = {each.text for each in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")}
    assert {"projects", "cluster", "runner-pool", "runner-deploy", "gitlab", "ApiKey", "Provider"} <= texts
    assert svg.count('class="arrow"') > 5
    secrets = [key["secret_key"] for key in estate.records("scaleway.iam.api_keys")]
    assert secrets
    assert not [secret for secret in secrets if secret in svg]
