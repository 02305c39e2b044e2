"""Secrets: soft deletion, protection, revisions and payloads."""

import base64
import zlib
from typing import Any

import pytest

SECRETS = "/secret-manager/v1beta1/regions/fr-par/secrets"
NOBODY = "2d6c8f63-0000-4000-8000-000000000000"


def words(text: str) -> set[str]:
    return set(text.split())


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def secret(api: Any) -> Any:
    body = {
        "project_id": api.account.project_id,
        "name": "dev-api-key",
        "tags": ["t"],
        "description": "d",
        "type": "opaque",
        "path": "/",
        "protected": False,
    }
    return api.post(SECRETS, body)


def test_a_secret_has_the_shape_of_the_recordings(api: Any, secret: Any) -> None:
    assert set(secret) == words(
        "id project_id name status created_at updated_at tags version_count description managed type protected path"
        " ephemeral_policy used_by deletion_requested_at key_id region"
    )
    path = f"{SECRETS}/{secret['id']}"
    assert api.get(path) == secret
    assert api.get(f"{path}/versions", page=1) == {"versions": [], "total_count": 0}
    changed = api.patch(path, {"name": "other", "tags": [], "description": "", "path": "/a"})
    assert (changed["name"], changed["tags"], changed["description"], changed["path"]) == ("other", [], "", "/a")
    api.patch(path, {"path": "a"}, 400)


def test_names_are_unique_by_path(api: Any, secret: Any) -> None:
    body = {"project_id": secret["project_id"], "name": secret["name"]}
    assert api.post(SECRETS, body, 409)["resource_id"] == secret["id"]
    other = api.post(SECRETS, body | {"path": "/other"})
    api.patch(f"{SECRETS}/{other['id']}", {"path": "/"}, 409)
    api.patch(f"{SECRETS}/{secret['id']}", {"name": secret["name"]})


def test_deletion_is_soft_and_frees_the_name(api: Any, secret: Any) -> None:
    path = f"{SECRETS}/{secret['id']}"
    api.post(f"{path}/versions", {"data": encoded("x")})
    api.delete(path)
    gone = api.get(path)
    assert gone["deletion_requested_at"] == gone["updated_at"]
    assert gone["status"] == "ready"
    api.delete(path, 412)
    api.patch(path, {"name": "n"}, 412)
    api.get(f"{path}/versions/1/access", 412)
    api.post(f"{path}/versions", {"data": encoded("x")}, 412)
    assert api.get(SECRETS)["total_count"] == 0
    assert api.get(SECRETS, scheduled_for_deletion="true")["total_count"] == 1
    new = api.post(SECRETS, {"project_id": secret["project_id"], "name": secret["name"]})
    api.post(f"{path}/restore", None, 409)
    api.delete(f"{SECRETS}/{new['id']}")
    assert api.post(f"{path}/restore")["deletion_requested_at"] is None
    assert base64.b64decode(api.get(f"{path}/versions/1/access")["data"]) == b"x"


def test_a_protected_secret_is_not_deleted(api: Any, secret: Any) -> None:
    path = f"{SECRETS}/{secret['id']}"
    api.post(f"{path}/versions", {"data": ""})
    assert api.post(f"{path}/protect")["protected"] is True
    assert api.delete(path, 412)["type"] == "precondition_failed"
    api.delete(f"{path}/versions/1", 412)
    assert api.post(f"{path}/unprotect")["protected"] is False
    api.delete(path)


def test_versions(api: Any, secret: Any) -> None:
    path = f"{SECRETS}/{secret['id']}"
    first = api.post(f"{path}/versions", {"data": encoded("one"), "description": "d"})
    assert set(first) == words(
        "revision secret_id status created_at updated_at deleted_at description latest ephemeral_properties"
        " deletion_requested_at region"
    )
    assert (first["revision"], first["status"], first["latest"]) == (1, "enabled", True)
    second = api.post(f"{path}/versions", {"data": encoded("two"), "disable_previous": True})
    assert second["revision"] == 2
    assert api.get(path)["version_count"] == 2
    old = api.get(f"{path}/versions/1")
    assert (old["status"], old["latest"]) == ("disabled", False)
    assert api.get(f"{path}/versions/1/access", 412)["type"] == "precondition_failed"
    assert api.get(f"{path}/versions/latest")["revision"] == 2
    assert api.post(f"{path}/versions/1/enable")["status"] == "enabled"
    assert api.post(f"{path}/versions/2/disable")["status"] == "disabled"
    assert base64.b64decode(api.get(f"{path}/versions/latest_enabled/access")["data"]) == b"one"
    assert [v["revision"] for v in api.get(f"{path}/versions", status="disabled")["versions"]] == [2]
    assert len(api.get(f"{path}/versions", page_size=1)["versions"]) == 1
    assert api.patch(f"{path}/versions/1", {"description": "e"})["description"] == "e"
    api.delete(f"{path}/versions/1")
    assert api.get(f"{path}/versions/1")["status"] == "scheduled_for_deletion"
    api.post(f"{path}/versions/1/enable", None, 412)
    api.get(f"{path}/versions/latest_enabled/access", 404)
    api.get(f"{path}/versions/3", 404)
    assert api.post(f"{path}/versions", {"data": ""})["revision"] == 3, "a revision is never given twice"


def test_access_shows_the_payload_and_the_checksum_that_came_with_it(api: Any, secret: Any) -> None:
    path, data = f"{SECRETS}/{secret['id']}", encoded("payload")
    api.post(f"{path}/versions", {"data": data})
    expected = {"secret_id": secret["id"], "revision": 1, "data": data, "data_crc32": None, "type": "opaque"}
    assert api.get(f"{path}/versions/latest/access") == expected
    checksum = zlib.crc32(b"payload")
    api.post(f"{path}/versions", {"data": data, "data_crc32": checksum})
    assert api.get(f"{path}/versions/2/access")["data_crc32"] == checksum
    assert data not in api.client.get(f"{api.url}/_sandbox/state").text
    assert data not in api.client.get(f"{api.url}/_sandbox/requests").text


@pytest.mark.parametrize(
    ("fields", "argument"),
    [
        ({"data": "no base64!"}, "data"),
        ({"data": encoded("x" * 65537)}, "data"),
        ({"data": encoded("x"), "data_crc32": 1}, "data_crc32"),
    ],
)
def test_a_payload_that_cannot_be(api: Any, secret: Any, fields: dict[str, Any], argument: str) -> None:
    error = api.post(f"{SECRETS}/{secret['id']}/versions", fields, 400)
    assert error["details"][0]["argument_name"] == argument
    assert api.get(f"{SECRETS}/{secret['id']}")["version_count"] == 0


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"name": ""}, 400),
        ({"name": "a b"}, 400),
        ({"type": "poem"}, 400),
        ({"path": "relative"}, 400),
        ({"protected": "yes"}, 400),
        ({"project_id": NOBODY}, 403),
        ({"project_id": ""}, 400),
    ],
)
def test_a_secret_that_cannot_be(api: Any, fields: dict[str, Any], status: int) -> None:
    api.post(SECRETS, {"name": "s", "project_id": api.account.project_id} | fields, status)
    assert api.get(SECRETS)["total_count"] == 0


def test_secrets_are_filtered(api: Any, secret: Any) -> None:
    api.post(SECRETS, {"name": "second", "project_id": secret["project_id"], "type": "key_value", "path": "/a"})
    for query, count in (
        ({"name": "dev-api-key"}, 1),
        ({"name": "dev"}, 0),
        ({"path": "/a"}, 1),
        ({"type": "key_value"}, 1),
        ({"type": "unknown_type"}, 2),
        ({"tags": ["t"]}, 1),
        ({"ephemeral": "true"}, 0),
        ({"organization_id": api.account.organization_id}, 2),
        ({"organization_id": NOBODY}, 0),
    ):
        assert api.get(SECRETS, **query)["total_count"] == count, query
