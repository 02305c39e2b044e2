"""The chart's values and the config.toml in them: exactly these, and nothing that can be misspelt."""

import string
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components import runner_config
from components.registration import chart_repository, chart_values
from components.runner_config import ChartValues, ConfigToml, KubernetesExecutor, Runner, SecretVolume, Volumes
from sections.jobs import RunnerSettings

EXECUTOR = {
    "namespace": "dev",
    "image": "alpine:3.22",
    "helper_image": "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64-v18.9.0",
    "service_account": "app-deployer",
    "node_selector": {"gitlab-runner-jobs": "dev"},
    "node_tolerations": {"gitlab-runner-jobs-dev-reserved=true": "NoSchedule"},
    "cpu_request": "500m",
    "memory_request": "1Gi",
    "service_cpu_request": "100m",
    "service_memory_request": "128Mi",
    "helper_cpu_request": "100m",
    "helper_memory_request": "128Mi",
    "poll_timeout": 180,
    "pull_policy": ["if-not-present"],
    "privileged": False,
    "allow_privilege_escalation": False,
    "automount_service_account_token": False,
    "cap_drop": ["NET_RAW"],
    "namespace_overwrite_allowed": "",
    "service_account_overwrite_allowed": "",
    "bearer_token_overwrite_allowed": False,
    "pod_annotations_overwrite_allowed": "",
    "pod_labels_overwrite_allowed": "",
    "node_selector_overwrite_allowed": "",
    "node_tolerations_overwrite_allowed": "",
}
KEY = {
    "name": "dev-api-key",
    "mount_path": "/root/.config/scw",
    "read_only": True,
    "items": {"config.yaml": "config.yaml"},
}
KUBECONFIG = {
    "name": "dev-kapsule-config",
    "mount_path": "/root/.kube",
    "read_only": True,
    "items": {"config": "config"},
}
RULES = [
    (["pods"], ["create", "delete", "get", "list", "watch"]),
    (["pods/attach", "pods/exec"], ["create", "delete", "get", "patch"]),
    (["pods/log"], ["get", "list"]),
    (["secrets"], ["create", "delete", "get", "update"]),
    (["serviceaccounts"], ["get"]),
    (["services"], ["create", "get"]),
    (["events"], ["list"]),
]


def config_toml(values: ChartValues) -> dict[str, Any]:
    return tomllib.loads(values.runners.config)


def expected_toml(*secrets: dict[str, Any], **executor: Any) -> dict[str, Any]:
    return {
        "runners": [
            {
                "executor": "kubernetes",
                "feature_flags": {"FF_DISABLE_AUTOMATIC_TOKEN_ROTATION": True},
                "kubernetes": EXECUTOR | executor | {"volumes": {"secret": list(secrets)}},
            }
        ]
    }


def test_the_config_toml_of_dev_is_exactly_this(parse: Any) -> None:
    found = parse()
    assert config_toml(chart_values(found, found.runners[0])) == expected_toml(KEY)


def test_a_kubeconfig_is_mounted_for_a_runner_with_rules_and_no_other(parse: Any) -> None:
    rules = [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"]}]
    found = parse({"appCluster": {"stack": "apps"}, "runners.0.appClusterRules": rules})
    assert config_toml(chart_values(found, found.runners[0])) == expected_toml(KEY, KUBECONFIG)
    assert "/root/.kube" not in str(config_toml(chart_values(found, found.runners[1])))


STATE_BACKEND = {"bucket": "acme-pulumi-state", "projectId": "11111111-2222-3333-4444-555555555555"}


def test_a_state_backends_credentials_are_mounted_beside_the_configuration(parse: Any) -> None:
    """One secret is mounted once per pod: both files are of the same one."""
    found = parse({"stateBackend": STATE_BACKEND})
    files = {"config.yaml": "config.yaml", "credentials": "credentials"}
    assert config_toml(chart_values(found, found.runners[0])) == expected_toml(KEY | {"items": files})


def test_the_runner_that_reads_has_a_namespace_and_a_key_of_its_own(parse: Any) -> None:
    found = parse()
    values = chart_values(found, found.runners[1])
    key = KEY | {"name": "dev-preview-api-key"}
    assert config_toml(values) == expected_toml(key, namespace="dev-preview")
    assert values.values()["runners"]["jobNamespace"] == "dev-preview"


def test_each_of_a_runners_settings_reaches_its_config_toml(parse: Any) -> None:
    changed = {
        "image": "debian:13",
        "helperImage": "helper:1",
        "cpuRequest": "2",
        "memoryRequest": "3Gi",
        "serviceCpuRequest": "200m",
        "serviceMemoryRequest": "4Gi",
        "helperCpuRequest": "300m",
        "helperMemoryRequest": "5Gi",
        "pollTimeoutSeconds": 600,
        "name": "preview",
    }
    found = parse({"runners": [changed], "kubernetes.serviceAccount": "robot", "environment": "blue"})
    assert config_toml(chart_values(found, found.runners[0])) == expected_toml(
        KEY | {"name": "blue-preview-api-key"},
        namespace="blue-preview",
        service_account="robot",
        node_selector={"gitlab-runner-jobs": "blue"},
        node_tolerations={"gitlab-runner-jobs-blue-reserved=true": "NoSchedule"},
        image="debian:13",
        helper_image="helper:1",
        cpu_request="2",
        memory_request="3Gi",
        service_cpu_request="200m",
        service_memory_request="4Gi",
        helper_cpu_request="300m",
        helper_memory_request="5Gi",
        poll_timeout=600,
    )


def test_the_charts_values_of_dev_are_exactly_these(parse: Any) -> None:
    found = parse()
    values = chart_values(found, found.runners[0])
    assert values.values() == {
        "gitlabUrl": "https://gitlab.com/",
        "concurrent": 10,
        "checkInterval": 3,
        "terminationGracePeriodSeconds": 3600,
        "unregisterRunners": False,
        "imagePullPolicy": "IfNotPresent",
        "logFormat": "json",
        "fullnameOverride": "app-dev-runner",
        "rbac": {
            "create": True,
            "clusterWideAccess": False,
            "rules": [{"apiGroups": [""], "resources": resources, "verbs": verbs} for resources, verbs in RULES],
        },
        "serviceAccount": {"create": True, "name": "app-dev-runner"},
        "metrics": {"enabled": True},
        "sessionServer": {"enabled": False},
        "runners": {
            "name": "app-dev-runner",
            "secret": "dev-runner-tokens",
            "config": values.runners.config,
            "jobNamespace": "dev",
            "executor": "kubernetes",
        },
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "privileged": False,
            "readOnlyRootFilesystem": False,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def test_settings_reach_the_charts_values(parse: Any) -> None:
    runner = {"name": "preview", "concurrent": 3, "jobTimeoutSeconds": 7200}
    found = parse({"runners": [{}, runner], "gitlab.url": "https://gitlab.example/"})
    values = chart_values(found, found.runners[1]).values()
    picked = ("gitlabUrl", "concurrent", "terminationGracePeriodSeconds", "fullnameOverride")
    assert [values[key] for key in picked] == ["https://gitlab.example/", 3, 7200, "app-dev-preview-runner"]
    assert values["serviceAccount"]["name"] == values["runners"]["name"] == "app-dev-preview-runner"
    assert values["runners"]["secret"] == "dev-preview-runner-tokens"
    assert values["runners"]["jobNamespace"] == "dev-preview"


def test_nothing_may_be_changed_by_a_job(parse: Any) -> None:
    found = parse()
    (runner,) = config_toml(chart_values(found, found.runners[0]))["runners"]
    allowed = {key: value for key, value in runner["kubernetes"].items() if key.endswith("_overwrite_allowed")}
    assert len(allowed) == 7
    assert not any(allowed.values())


executor_fields = {
    "namespace": "dev",
    "image": "alpine",
    "helper_image": "helper",
    "service_account": "robot",
    "node_selector": {"a": "b"},
    "node_tolerations": {"a=b": "NoSchedule"},
    "cpu_request": "1",
    "memory_request": "1Gi",
    "service_cpu_request": "1",
    "service_memory_request": "1Gi",
    "helper_cpu_request": "1",
    "helper_memory_request": "1Gi",
    "poll_timeout": 180,
    "volumes": Volumes(),
}


def rendered(**changed: Any) -> str:
    return ConfigToml(runners=(Runner(kubernetes=KubernetesExecutor(**{**executor_fields, **changed})),)).render()


@pytest.mark.parametrize("changed", [{"image": "{{ .Values.image }}"}, {"node_selector": {"{{a}}": "b"}}])
def test_braces_that_helm_would_expand_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^config\.toml holds '\{\{', which Helm would expand$"):
        rendered(**changed)


def test_single_braces_are_not_helms() -> None:
    assert tomllib.loads(rendered(image="a{b}c"))["runners"][0]["kubernetes"]["image"] == "a{b}c"


text = st.text(max_size=20).filter(lambda t: "{" not in t)
maps = st.dictionaries(text, text, max_size=3)


@given(
    image=text,
    selector=maps,
    tolerations=maps,
    timeout=st.integers(0, 10**6),
    mounts=st.lists(
        st.builds(SecretVolume, name=text, mount_path=text, read_only=st.booleans(), items=st.none() | maps), max_size=3
    ),
)
def test_any_text_is_read_back_as_it_was(
    image: str, selector: dict[str, str], tolerations: dict[str, str], timeout: int, mounts: list[SecretVolume]
) -> None:
    """A toleration's key holds `=`, a file's name a dot: the TOML library quotes what must be."""
    toml = rendered(
        image=image,
        node_selector=selector,
        node_tolerations=tolerations,
        poll_timeout=timeout,
        volumes=Volumes(secret=tuple(mounts)),
    )
    found = tomllib.loads(toml)["runners"][0]["kubernetes"]
    assert (found["image"], found["poll_timeout"]) == (image, timeout)
    assert (found["node_selector"], found["node_tolerations"]) == (selector, tolerations)
    assert found["volumes"]["secret"] == [mount.model_dump(exclude_none=True) for mount in mounts]


settings_text = {
    name: st.from_regex(rule.pattern.replace("^", r"\A").replace("$", r"\Z"), alphabet=string.printable)
    for name, field in RunnerSettings.model_fields.items()
    for rule in field.metadata
    if getattr(rule, "pattern", None) and name not in ("name", "tag")  # GitLab has the tag, and not the file
}


_NAME = RunnerSettings.model_json_schema()["properties"]["name"]
names = st.from_regex(_NAME["pattern"].replace("^", r"\A").replace("$", r"\Z")).filter(
    lambda name: name != "runners" and len(name) <= _NAME["maxLength"]
)


@given(runner=st.fixed_dictionaries(settings_text), name=names)
def test_any_valid_settings_are_read_back_as_they_were(parse: Any, runner: dict[str, str], name: str) -> None:
    found = parse({"runners": [{"name": name}]})
    settings = RunnerSettings.model_validate(
        {RunnerSettings.model_fields[field].alias: value for field, value in runner.items()} | {"name": name}
    )
    stem = "dev" if name == "deploy" else f"dev-{name}"
    assert config_toml(chart_values(found, settings)) == expected_toml(
        KEY | {"name": f"{stem}-api-key"}, namespace=stem, **runner
    )


MODELS = [
    value
    for value in vars(runner_config).values()
    if isinstance(value, type) and issubclass(value, (runner_config._Toml, runner_config._Values))
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_misspelt_value_is_refused(model: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        model(misspelt=1)
    assert ("extra_forbidden", ("misspelt",)) in [(e["type"], e["loc"]) for e in caught.value.errors()]


def test_there_is_exactly_one_runner_in_a_config_toml() -> None:
    runner = Runner(kubernetes=KubernetesExecutor.model_validate(executor_fields))
    for runners in ((), (runner, runner)):
        with pytest.raises(ValidationError):
            ConfigToml.model_validate({"runners": runners})


@pytest.fixture
def dev(parse: Callable[..., Any]) -> Any:
    return parse({"runnerChart.repository": "https://charts.example"})


def test_the_chart_comes_from_the_setting(dev: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITLAB_RUNNER_CHART_REPOSITORY", raising=False)
    assert chart_repository(dev) == "https://charts.example"
    monkeypatch.setenv("GITLAB_RUNNER_CHART_REPOSITORY", "")
    assert chart_repository(dev) == "https://charts.example"


def test_a_chart_repository_of_the_environment_wins(dev: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLAB_RUNNER_CHART_REPOSITORY", "http://127.0.0.1:1/charts")
    assert chart_repository(dev) == "http://127.0.0.1:1/charts"
