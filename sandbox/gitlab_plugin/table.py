"""The resources of the plugin: ids, inputs and their names in GitLab's API, what replaces, what is secret.

Owns nothing but this knowledge; a test compares it with the argument types of the `pulumi_gitlab` SDK.
Source: the SDK, the provider's documentation and GitLab's API reference.
"""

from sandbox.gitlab_plugin.fields import Input, Kind, Output, Resource

LEVELS = {
    "no one": 0,
    "minimal": 5,
    "guest": 10,
    "planner": 15,
    "reporter": 20,
    "security_manager": 25,
    "developer": 30,
    "maintainer": 40,
    "owner": 50,
    "admin": 60,
}
_PROTECTION_LEVELS = {n: LEVELS[n] for n in ("no one", "developer", "maintainer", "admin")}
_TOKEN_LEVELS = {n: v for n, v in LEVELS.items() if n != "admin"}
TOKEN_SCOPES = (
    "api", "read_api", "read_registry", "write_registry", "read_repository", "write_repository", "create_runner",
    "manage_runner", "ai_features", "k8s_proxy", "read_observability", "write_observability", "self_rotate",
)  # fmt: skip
VARIABLE_TYPES = ("env_var", "file")


def _text(name: str, api: str | None = None, **more: object) -> Input:
    return Input(name=name, api=api or name, **more)  # type: ignore[arg-type] # a dataclass refuses other names


def _flag(name: str, api: str | None = None, default: bool | None = None, **more: object) -> Input:
    return Input(name=name, kind=Kind.BOOLEAN, api=api or name, default=default, **more)  # type: ignore[arg-type] # a dataclass refuses other names


def _number(name: str, api: str, **more: object) -> Input:
    return Input(name=name, kind=Kind.INTEGER, api=api, **more)  # type: ignore[arg-type] # a dataclass refuses other names


_PROJECT = Input(name="project", required=True, replaces=True)

_LEVEL_FIELDS = (
    Input(name="accessLevel", api="access_level", levels=LEVELS),
    Input(name="accessLevelDescription", answer="access_level_description"),
    Input(name="groupId", kind=Kind.INTEGER, api="group_id"),
    Input(name="userId", kind=Kind.INTEGER, api="user_id"),
)
_DEPLOY_KEY = Input(name="deployKeyId", kind=Kind.INTEGER, api="deploy_key_id")
_LEVEL_ID = Input(name="id", kind=Kind.INTEGER, answer="id")
_INHERITANCE = Input(name="groupInheritanceType", kind=Kind.INTEGER, api="group_inheritance_type", default=0)
_APPROVALS = Input(name="requiredApprovals", kind=Kind.INTEGER, api="required_approvals", default=1)


def _levels(name: str, api: str, answer: str, *extra: Input, **more: object) -> Input:
    return Input(
        name=name,
        kind=Kind.LEVELS,
        api=api,
        answer=answer,
        fields=(*_LEVEL_FIELDS, *extra),
        **more,  # type: ignore[arg-type] # a dataclass refuses other names
    )


BRANCH_PROTECTION = Resource(
    type="gitlab:index/branchProtection:BranchProtection",
    path="projects/{project}/protected_branches",
    key="name",
    id_parts=("project", "branch"),
    unique=("project", "branch"),
    update="patch",
    flags=frozenset({"edition", "must_not_exist"}),
    inputs=(
        _PROJECT,
        _text("branch", "name", required=True, replaces=True, create_only=True),
        _flag("allowForcePush", "allow_force_push", False),
        _flag("codeOwnerApprovalRequired", "code_owner_approval_required", False, edition="enterprise"),
        _levels(
            "allowedToPushes", "allowed_to_push", "push_access_levels", _DEPLOY_KEY,
            computed=True, edition="enterprise", instead="pushAccessLevel",
        ),
        _levels(
            "allowedToMerges", "allowed_to_merge", "merge_access_levels",
            computed=True, edition="enterprise", instead="mergeAccessLevel",
        ),
        _levels(
            "allowedToUnprotects", "allowed_to_unprotect", "unprotect_access_levels",
            computed=True, edition="enterprise",
        ),
        _text(
            "pushAccessLevel", "push_access_level", answer="push_access_levels", levels=_PROTECTION_LEVELS,
            computed=True, replaces=True, edition="community", instead="allowed_to_push",
        ),
        _text(
            "mergeAccessLevel", "merge_access_level", answer="merge_access_levels", levels=_PROTECTION_LEVELS,
            computed=True, replaces=True, edition="community", instead="allowed_to_merge",
        ),
    ),
    outputs=(Output(name="branchProtectionId", answer="id"),),
)  # fmt: skip

_VARIABLE_INPUTS = (
    _text("key", required=True, replaces=True, create_only=True),
    _text("value", required=True, kept=True),
    _text("description", default=""),
    _text("environmentScope", "environment_scope", default="*", replaces=True),
    _flag("hidden", "masked_and_hidden", False, answer="hidden", replaces=True, create_only=True),
    _flag("masked", default=False),
    _flag("protected", default=False),
    _flag("raw", default=False),
    _text("variableType", "variable_type", default="env_var", choices=VARIABLE_TYPES),
)

PROJECT_VARIABLE = Resource(
    type="gitlab:index/projectVariable:ProjectVariable",
    path="projects/{project}/variables",
    key="key",
    id_parts=("project", "key", "environmentScope"),
    unique=("project", "key", "environmentScope"),
    scoped=True,
    inputs=(_PROJECT, *_VARIABLE_INPUTS),
)

GROUP_VARIABLE = Resource(
    type="gitlab:index/groupVariable:GroupVariable",
    path="groups/{group}/variables",
    key="key",
    id_parts=("group", "key", "environmentScope"),
    unique=("group", "key", "environmentScope"),
    scoped=True,
    inputs=(Input(name="group", required=True, replaces=True), *_VARIABLE_INPUTS),
)

USER_RUNNER = Resource(
    type="gitlab:index/userRunner:UserRunner",
    path="runners",
    create_path="user/runners",
    key="id",
    id_parts=("id",),
    pairs={("runnerType", "project_type"): "projectId", ("runnerType", "group_type"): "groupId"},
    inputs=(
        _text(
            "runnerType", "runner_type", required=True, replaces=True, create_only=True,
            choices=("instance_type", "group_type", "project_type"),
        ),
        _text("accessLevel", "access_level", computed=True, choices=("not_protected", "ref_protected")),
        _text("description", computed=True),
        _number("groupId", "group_id", answer="groups.0.id", replaces=True, create_only=True),
        _flag("locked", computed=True),
        _text("maintenanceNote", "maintenance_note", computed=True),
        _number("maximumTimeout", "maximum_timeout", computed=True),
        _flag("paused", computed=True),
        _number("projectId", "project_id", answer="projects.0.id", replaces=True, create_only=True),
        Input(name="tagLists", kind=Kind.STRINGS, api="tag_list", computed=True),
        _flag("untagged", "run_untagged", computed=True),
    ),
    outputs=(Output(name="token", answer="token", secret=True, once=True),),
)  # fmt: skip

PROJECT_ACCESS_TOKEN = Resource(
    type="gitlab:index/projectAccessToken:ProjectAccessToken",
    path="projects/{project}/access_tokens",
    key="id",
    id_parts=("project", "id"),
    autoname="name",
    update=None,
    flags=frozenset({"rotates", "active_only"}),
    inputs=(
        _PROJECT,
        _text("name", computed=True, replaces=True),
        _text("description", default="", replaces=True),
        _text("accessLevel", "access_level", levels=_TOKEN_LEVELS, default="maintainer", replaces=True),
        Input(
            name="scopes", kind=Kind.STRINGS, api="scopes", required=True, replaces=True,
            choices=TOKEN_SCOPES,
        ),
        _text("expiresAt", "expires_at", computed=True),
        Input(
            name="rotationConfiguration",
            kind=Kind.OBJECT,
            fields=(
                Input(name="expirationDays", kind=Kind.INTEGER, required=True),
                Input(name="rotateBeforeDays", kind=Kind.INTEGER, required=True),
            ),
        ),
        Input(name="validatePastExpirationDate", kind=Kind.BOOLEAN, default=True),
    ),
    outputs=(
        Output(name="active", answer="active"),
        Output(name="createdAt", answer="created_at", changes=True),
        Output(name="revoked", answer="revoked"),
        Output(name="token", answer="token", secret=True, once=True, changes=True),
        Output(name="userId", answer="user_id"),
    ),
)  # fmt: skip

PROJECT_ENVIRONMENT = Resource(
    type="gitlab:index/projectEnvironment:ProjectEnvironment",
    path="projects/{project}/environments",
    key="id",
    id_parts=("project", "id"),
    unique=("project", "name"),
    autoname="name",
    flags=frozenset({"stop_first"}),
    inputs=(
        _PROJECT,
        _text("name", computed=True, replaces=True, create_only=True),
        _text("description", computed=True),
        _text("autoStopSetting", "auto_stop_setting", computed=True, choices=("always", "with_action")),
        _number("clusterAgentId", "cluster_agent_id", answer="cluster_agent.id"),
        _text("externalUrl", "external_url", default=""),
        _text("fluxResourcePath", "flux_resource_path", default=""),
        _text("kubernetesNamespace", "kubernetes_namespace", default=""),
        Input(name="stopBeforeDestroy", kind=Kind.BOOLEAN, default=False),
        _text("tier", computed=True, choices=("production", "staging", "testing", "development", "other")),
    ),
    outputs=(
        Output(name="autoStopAt", answer="auto_stop_at"),
        Output(name="createdAt", answer="created_at"),
        Output(name="slug", answer="slug"),
        Output(name="state", answer="state"),
        Output(name="updatedAt", answer="updated_at", changes=True),
    ),
)

PROJECT_PROTECTED_ENVIRONMENT = Resource(
    type="gitlab:index/projectProtectedEnvironment:ProjectProtectedEnvironment",
    path="projects/{project}/protected_environments",
    key="name",
    id_parts=("project", "environment"),
    unique=("project", "environment"),
    inputs=(
        _PROJECT,
        _text("environment", "name", required=True, replaces=True, create_only=True),
        _levels(
            "deployAccessLevelsAttributes", "deploy_access_levels", "deploy_access_levels", _LEVEL_ID, _INHERITANCE
        ),
        _levels(
            "approvalRules", "approval_rules", "approval_rules", _LEVEL_ID, _INHERITANCE, _APPROVALS, computed=True
        ),
    ),
)

PIPELINE_SCHEDULE = Resource(
    type="gitlab:index/pipelineSchedule:PipelineSchedule",
    path="projects/{project}/pipeline_schedules",
    key="id",
    id_parts=("project", "id"),
    flags=frozenset({"take_ownership"}),
    inputs=(
        _PROJECT,
        _text("cron", required=True),
        _text("description", required=True),
        _text("ref", required=True),
        _flag("active", default=True),
        _text("cronTimezone", "cron_timezone", default="UTC"),
        Input(
            name="inputs",
            kind=Kind.OBJECTS,
            api="inputs",
            fields=(_text("name", required=True), _text("value", required=True)),
        ),
        Input(name="takeOwnership", kind=Kind.BOOLEAN, default=False),
    ),
    outputs=(
        Output(name="owner", answer="owner.id"),
        Output(name="pipelineScheduleId", answer="id"),
    ),
)

PIPELINE_SCHEDULE_VARIABLE = Resource(
    type="gitlab:index/pipelineScheduleVariable:PipelineScheduleVariable",
    path="projects/{project}/pipeline_schedules/{pipelineScheduleId}/variables",
    key="key",
    id_parts=("project", "pipelineScheduleId", "key"),
    unique=("project", "pipelineScheduleId", "key"),
    flags=frozenset({"in_parent"}),
    inputs=(
        _PROJECT,
        Input(name="pipelineScheduleId", kind=Kind.INTEGER, required=True, replaces=True),
        _text("key", required=True, replaces=True, create_only=True),
        _text("value", required=True),
        _text("variableType", "variable_type", default="env_var", choices=VARIABLE_TYPES),
    ),
)

TAG_PROTECTION = Resource(
    type="gitlab:index/tagProtection:TagProtection",
    path="projects/{project}/protected_tags",
    key="name",
    id_parts=("project", "tag"),
    unique=("project", "tag"),
    update=None,
    flags=frozenset({"one_level_apart"}),
    inputs=(
        _PROJECT,
        _text("tag", "name", required=True, replaces=True),
        _text(
            "createAccessLevel", "create_access_level", answer="create_access_levels", levels=_PROTECTION_LEVELS,
            default="maintainer", replaces=True,
        ),
        _levels("allowedToCreates", "allowed_to_create", "create_access_levels", _DEPLOY_KEY, replaces=True),
    ),
)  # fmt: skip

RESOURCES = {
    r.type: r
    for r in (
        BRANCH_PROTECTION,
        GROUP_VARIABLE,
        PIPELINE_SCHEDULE,
        PIPELINE_SCHEDULE_VARIABLE,
        PROJECT_ACCESS_TOKEN,
        PROJECT_ENVIRONMENT,
        PROJECT_PROTECTED_ENVIRONMENT,
        PROJECT_VARIABLE,
        TAG_PROTECTION,
        USER_RUNNER,
    )
}
