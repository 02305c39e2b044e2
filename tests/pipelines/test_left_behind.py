"""What a run leaves behind, and shows while it runs, holds no secret: states and their history, logs in every detail, the
request log, plans, events, notes, artifacts, and the arguments of processes.

One environment lives its whole life for that, with the engine's logs in full. Then every file is read.
"""

import base64
import json
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.engine.estate import ROOT
from tests.pipelines.events import Ask
from tests.pipelines.gitlab_runner import Expanded, Ran, succeeded
from tests.pipelines.issued import issued, releases
from tests.pipelines.place import PLATFORM, Place, made
from tests.secret_scanner import Content, Scanner, files_below

# Every command of the engine, whoever calls it, logs all that it can into files.
IN_FULL = {"PULUMI_OPTION_VERBOSE": "11", "PULUMI_OPTION_LOGFLOW": "true"}

YOUNG_ROUNDS = 20  # a second at least

# Files that exist to hold secrets, and why each is there. Each is its owner's alone.
STORES = {
    ".sandbox/records.db*": "the stand-ins know what they have issued, as Scaleway and GitLab do",
    ".sandbox/passphrase": "decrypts the secrets in the state",
    ".sandbox/clusters/*/etcd/*": "what a cluster keeps: its secrets and Helm's records",
    ".sandbox/clusters/*/endpoints.json": "the administrator's token, for the next start",
    ".sandbox/clusters/*/tokens.csv": "the administrator's token, for the API server",
    ".sandbox/clusters/*/admin.kubeconfig": "the administrator's token, for the sandbox's own clients",
    ".sandbox/clusters/*/sa.key": "signs the tokens of service accounts",
    ".sandbox/clusters/*/certificates/apiserver.key": "the API server's TLS",
}
# What upstream writes and this program cannot prevent. README warns of each; here, too, it is its owner's alone.
UPSTREAM = {
    ".sandbox/tmp/kubeconfig*": "the Kubernetes provider leaves the kubeconfig that it was given",
    ".sandbox/tmp/pulumi*.log.INFO.*": "from -v=5 on, the engine and the providers log what passes by",
}


@dataclass
class Evidence:
    """What was issued, what was left and what was seen."""

    place: Place
    secrets: dict[str, str] = field(default_factory=dict)
    contents: dict[str, Content] = field(default_factory=dict)
    arguments: set[bytes] = field(default_factory=set)
    begun: bool = False
    lived: bool = False

    def issued(self) -> None:
        """Remembers what exists now: a rotation makes some of it go."""
        job_tokens = dict.fromkeys(self.place.gitlab.job_tokens, "job token")
        self.secrets = issued(self.place.estate, "dev") | job_tokens | self.secrets

    def told(self, what: str, text: str) -> str:
        self.contents[f"{what} ({len(self.contents)})"] = text.encode()
        return text

    def scanner(self) -> Scanner:
        return Scanner(self.secrets)


@contextmanager
def watched(arguments: set[bytes]) -> Iterator[None]:
    """Reads the arguments of all processes, again and again; those of an older one, which hardly change, once a second."""
    over = threading.Event()

    def watch() -> None:
        rounds: dict[Path, int] = {}  # for how many a process has been there; its number may be given to another one
        while not over.wait(0.05):
            rounds = {each: rounds.get(each, 0) + 1 for each in Path("/proc").iterdir() if each.name.isdigit()}
            for process, number in rounds.items():
                if number > YOUNG_ROUNDS and number % YOUNG_ROUNDS:
                    continue
                try:
                    arguments.add((process / "cmdline").read_bytes())
                except OSError:
                    continue  # it has ended

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evidence]:
    """An environment from nothing, watched; the tests of this module live its life in their order."""
    arguments: set[bytes] = set()
    folder = tmp_path_factory.mktemp("left behind")
    with watched(arguments), made(folder, logs=True, **IN_FULL) as place:
        yield Evidence(place, arguments=arguments)
    assert place.estate.processes() == []
    shutil.rmtree(folder)


@pytest.fixture
def play(evidence: Evidence, ask: Ask, expanded: Expanded) -> Callable[..., dict[str, Ran]]:
    """A pipeline of the operations project, played to its end: what ran, by name."""

    def played(**event: object) -> dict[str, Ran]:
        gitlab = evidence.place.gitlab
        ran = gitlab.pipeline_of(ROOT / ".gitlab-ci.yml", ask, expanded, PLATFORM, **event)
        for each in ran:
            evidence.told(f"log of {each.name}", each.log)
        return {each.name: each for each in ran}

    return played


@pytest.fixture
def lived(evidence: Evidence, play: Callable[..., dict[str, Ran]]) -> Evidence:
    """After previews of each kind, a reviewed and a failed deployment, rotations, a refresh, drift and a removal."""
    if evidence.lived:
        return evidence
    assert not evidence.begun, "its life ended too early: see the first test"
    evidence.begun = True
    estate, place = evidence.place.estate, evidence.place

    def pulumi(arguments: str, *, fails: bool = False, **environment: str) -> None:
        result = estate.shell(f"pulumi {arguments} 2>&1", **environment)
        assert (result.returncode != 0) == fails, result.stdout
        evidence.told(f"pulumi {arguments}", result.stdout)

    evidence.issued()
    request = place.change("a runner", "runners[4].name", "build")
    pulumi('preview --stack dev --diff --policy-pack "$PWD/policies"')
    pulumi("preview --stack dev --json --save-plan left.plan.json > left.preview.json")
    pulumi("preview --stack dev --json > left.events.jsonl", PULUMI_ENABLE_STREAMING_JSON_PREVIEW="true")
    succeeded(play(merge_request=request)["preview:dev"])
    place.api("PUT", f"merge_requests/{request}/merge")
    for ran in play(branch="main").values():  # deployment and promotion
        succeeded(ran)
    evidence.issued()

    estate.set("dev", "rotation.serial", "1")
    assert estate.sandbox("fault", "secret.CreateSecretVersion", "--status", "400", "--times", "0").returncode == 0
    pulumi("up --stack dev --yes --skip-preview --diff", fails=True)
    evidence.issued()
    estate.sandbox("fault", "--clear")
    pulumi("up --stack dev --yes --skip-preview --diff --show-sames")
    evidence.issued()

    later = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    # by their descriptions, rotation before drift: which of the two was made first is the engine's choice
    for schedule in sorted(place.api("GET", "pipeline_schedules"), key=lambda each: each["description"], reverse=True):
        for ran in play(schedule=schedule["id"], extra={"KAPSULE_DEVOPS_NOW": later}).values():
            succeeded(ran)
    evidence.issued()
    estate.pulumi("config rm --stack dev --path runners[4]")
    pulumi("up --stack dev --yes --skip-preview --json", KAPSULE_DEVOPS_NOW=later)
    pulumi("refresh --stack dev --yes --diff --run-program", KAPSULE_DEVOPS_NOW=later)
    for command in ("stack output --json", "stack export", "stack history --json", "stack graph left.dot"):
        pulumi(f"{command} --stack dev")
    evidence.issued()
    evidence.contents |= releases(estate, "dev") | _kept_for_people(place)
    evidence.lived = True
    return evidence


def _kept_for_people(place: Place) -> dict[str, Content]:
    """Artifacts, notes and descriptions in GitLab, and what the sandbox says of itself."""
    found: dict[str, Content] = {}
    for job in place.estate.records("gitlab.jobs"):
        if job["archive"]:
            found[f"artifacts of {job['name']} ({job['id']})"] = base64.b64decode(job["archive"])
    for request in place.api("GET", "merge_requests?state=all"):
        texts = [request["description"] or "", *place.notes(request["iid"])]
        found |= {f"!{request['iid']} ({n})": text.encode() for n, text in enumerate(texts)}
    for service in ("scaleway", "gitlab"):
        for what in ("state", "requests"):
            found[f"{what} of {service}"] = json.dumps(place.estate.ask(service, f"/_sandbox/{what}")).encode()
    return found


def _files(evidence: Evidence) -> dict[str, Content]:
    """All that is left in the checkout, with the sandbox's folder, and in the user's home."""
    estate = evidence.place.estate
    return files_below(estate.checkout) | {f"~/{name}": file for name, file in files_below(estate.home).items()}


def _is_one_of(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def test_it_is_all_there_to_be_searched(lived: Evidence) -> None:
    kinds = set(lived.secrets.values())
    assert {"SCW_SECRET_KEY", "GITLAB_TOKEN", "passphrase", "job token", "gitlab.variables PRIVATE_TOKEN"} <= kinds
    assert list(lived.secrets.values()).count("scaleway.iam.api_keys secret_key") >= 8, "of several rotations"
    assert {"administrator of a cluster", "TLS of an API server"} <= kinds
    assert any("runner-token" in what for what in kinds)
    names = [*_files(lived), *lived.contents]
    for wanted in (
        ".sandbox/state/.pulumi/stacks/*/dev.json",
        ".sandbox/state/.pulumi/stacks/*/dev.json.bak",
        ".sandbox/state/.pulumi/history/*/*.checkpoint.json",
        ".sandbox/state/.pulumi/backups/*.json",
        ".sandbox/pulumi/logs/*.log",
        ".sandbox/requests.jsonl",
        ".sandbox/sandbox.log",
        ".sandbox/clusters/*/apiserver.log",
        "left.*",
        "plan.full.json",
        "preview.jsonl",
        "drift.jsonl",
        "artifacts of preview:dev *",
        "log of deploy:dev *",
        "log of promote:preprod *",
        "release sh.helm.release.v1.*",
        "!* (1)",
        *STORES,
        *UPSTREAM,
    ):
        assert [name for name in names if fnmatch(name, wanted)], wanted


def test_no_file_and_no_text_holds_a_secret(lived: Evidence) -> None:
    everything = _files(lived) | lived.contents
    searched = {name: each for name, each in everything.items() if not _is_one_of((*STORES, *UPSTREAM), name)}
    assert lived.scanner().found(searched) == {}


def test_no_process_had_a_secret_among_its_arguments(lived: Evidence) -> None:
    seen = b"\n".join(lived.arguments)
    for wanted in (
        b"pulumi\0",
        b"pulumi-resource-scaleway",
        b"pulumi-language-python-exec",
        b"ci.deploy",
        b"apiserver",
    ):
        assert wanted in seen
    assert lived.scanner().found({"arguments": seen}) == {}


def test_what_holds_a_secret_is_its_owners_alone(lived: Evidence) -> None:
    """Also what holds secrets only encrypted, such as states and full plans."""
    checkout = lived.place.estate.checkout
    files = _files(lived)
    held = lived.scanner().found({name: file for name, file in files.items() if not _is_one_of(UPSTREAM, name)})
    assert [name for name in held if not _is_one_of(STORES, name)] == []
    assert [each for each in STORES if not any(fnmatch(name, each) for name in held)] == [], "no store without a secret"
    encrypted = (
        ".sandbox/state/*",
        ".sandbox/pulumi/logs/*",
        "left.plan.json",
        "plan.full.json",
        "*view.jsonl",
        "drift.jsonl",
    )
    private = {name for name in files if name in held or _is_one_of((*STORES, *UPSTREAM, *encrypted), name)}
    assert [name for name in private if (checkout / name).stat().st_mode & 0o077] == []
    for folder in (".sandbox", *(f".sandbox/{each}" for each in ("state", "clusters", "pulumi", "tmp"))):
        assert (checkout / folder).stat().st_mode & 0o077 == 0, folder


def test_up_to_level_4_logs_hold_no_secret_either(lived: Evidence) -> None:
    """As README says; from there on, the providers write down what passes by."""
    folder = lived.place.estate.folder / "tmp"
    before = files_below(folder)
    lived.place.estate.set("dev", "rotation.serial", "2")
    lived.place.estate.pulumi("up --stack dev --yes --skip-preview", PULUMI_OPTION_VERBOSE="4")
    lived.issued()
    new = {name: file for name, file in files_below(folder).items() if name not in before}
    assert len([name for name in new if name.startswith("pulumi")]) >= 2
    assert lived.scanner().found({name: file for name, file in new.items() if name.startswith("pulumi")}) == {}


def test_the_log_of_calls_holds_secrets_and_the_scanner_finds_them(lived: Evidence) -> None:
    """What README warns of; and that a search which finds nothing elsewhere would find them."""
    calls = lived.place.estate.checkout / "left.grpc.json"
    lived.place.estate.pulumi("preview --stack dev", PULUMI_DEBUG_GRPC=str(calls), PULUMI_OPTION_VERBOSE="0")
    found = lived.scanner().found({"calls": calls})
    calls.unlink()
    assert any("secret_key" in what for what in found["calls"])


def test_what_is_destroyed_leaves_no_secret_behind(lived: Evidence) -> None:
    result = lived.place.estate.sandbox("down")
    assert result.returncode == 0, result.stdout + result.stderr
    left = {name: file for name, file in _files(lived).items() if not _is_one_of((*STORES, *UPSTREAM), name)}
    assert lived.scanner().found(left | {"down": (result.stdout + result.stderr).encode()}) == {}
