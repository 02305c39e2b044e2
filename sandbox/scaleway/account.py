"""Stand-in for Scaleway's Account API (v3): projects.

Owns projects and what has to be empty before one may be deleted. A project brings its default VPCs, as on the real
platform. Does not own organizations: the sandbox has exactly one, and its id is the id of its default project (`seeding`).
"""

from sandbox.scaleway.common import (
    CLUSTERS,
    NAMESPACES,
    PRIVATE_NETWORKS,
    PROJECTS,
    SECRETS,
    SSH_KEYS,
    VPCS,
    Fields,
    already_exists,
    filtered,
    find,
    new_id,
    now,
    paged,
    permissions_denied,
    precondition_failed,
    shown,
    touched,
)
from sandbox.scaleway.vpc import add_default_vpcs, is_custom_vpc
from sandbox.store import Record, Store
from sandbox.web import Call, Routes

routes = Routes()

_RULE = "/account/v3/projects"


def new_project(store: Store, *, organization_id: str, project_id: str, name: str, description: str) -> Record:
    """Writes a project and its default VPCs."""
    moment = now()
    project = {
        "id": project_id,
        "name": name,
        "organization_id": organization_id,
        "created_at": moment,
        "updated_at": moment,
        "description": description,
        "qualification": None,
    }
    store.put(PROJECTS, project_id, project)
    add_default_vpcs(store, project)
    return project


@routes.post(_RULE, "account.CreateProject")
def create(call: Call) -> Record:
    fields = Fields(call.body)
    organization_id = fields.text("organization_id") or call.caller.organization_id
    if organization_id != call.caller.organization_id:
        raise permissions_denied("project", "write")
    name = fields.text("name") or f"project-{new_id()[:8]}"
    _check_name(call, name)
    project = new_project(
        call.store,
        organization_id=organization_id,
        project_id=new_id(),
        name=name,
        description=fields.text("description"),
    )
    return shown(project)


@routes.get(_RULE, "account.ListProjects")
def list_all(call: Call) -> Record:
    projects = filtered(call, call.store.all(PROJECTS), "organization_id", contains=["name"])
    wanted = call.query.getlist("project_ids")
    return paged(call, "projects", [p for p in projects if not wanted or p["id"] in wanted])


@routes.get(f"{_RULE}/<id>", "account.GetProject")
def get(call: Call) -> Record:
    project = find(call, PROJECTS, "project", call.args["id"])
    if project["organization_id"] != call.caller.organization_id:
        raise permissions_denied("project", "read")
    return shown(project)


@routes.patch(f"{_RULE}/<id>", "account.UpdateProject")
def update(call: Call) -> Record:
    project = find(call, PROJECTS, "project", call.args["id"])
    changes = Fields(call.body).changes(text=["name", "description"])
    if changes.get("name", project["name"]) != project["name"]:
        _check_name(call, changes["name"])
    return shown(touched(call.store, PROJECTS, project, **changes))


@routes.delete(f"{_RULE}/<id>", "account.DeleteProject")
def delete(call: Call) -> None:
    project = find(call, PROJECTS, "project", call.args["id"])
    if project["id"] == project["organization_id"]:
        raise precondition_failed("resource_not_deletable", "the default project cannot be deleted")
    held = _resources(call.store, project["id"])
    if held:
        raise precondition_failed("resource_still_in_use", f"the project still holds {', '.join(held)}")
    for table in (VPCS, SECRETS, SSH_KEYS):  # default VPCs, secrets that wait for their deletion
        for record in call.store.all(table, project_id=project["id"]):
            call.store.delete(table, record["id"])
    call.store.delete(PROJECTS, project["id"])


def _check_name(call: Call, name: str) -> None:
    same = call.store.all(PROJECTS, name=name)
    if same:
        raise already_exists("project", same[0]["id"], "a project of the organization has this name")


def _resources(store: Store, project_id: str) -> list[str]:
    """What keeps the project from being deleted, in words."""
    of_project = {table: store.all(table, project_id=project_id) for table in (CLUSTERS, PRIVATE_NETWORKS, NAMESPACES)}
    of_project[VPCS] = [v for v in store.all(VPCS, project_id=project_id) if is_custom_vpc(v)]
    secrets = store.all(SECRETS, project_id=project_id)
    of_project[SECRETS] = [s for s in secrets if s["deletion_requested_at"] is None]
    return [f"{len(found)} {table.rpartition('.')[2]}" for table, found in of_project.items() if found]
