"""`python -m costs` as a user runs it, against the stand-in; and the README's table, which is what it prints."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from costs.__main__ import main
from sandbox.requests import RequestLog
from tests.doctor.conftest import NOWHERE, ROOT

STACKS = ("dev", "preprod", "prod")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program's files, where they may be edited."""
    for name in ("Pulumi.yaml", *(f"Pulumi.{stack}.yaml" for stack in STACKS)):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(folder: Path, api: Any, capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit code and both streams."""

    def command(stack: str = "dev", url: str = api.url) -> tuple[int, str, str]:
        code = main(["--stack", stack], {"SCW_API_URL": url})
        out, err = capsys.readouterr()
        return code, out, err

    return command


def edited(folder: Path, before: str, after: str) -> None:
    file = folder / "Pulumi.dev.yaml"
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def added(folder: Path, *sections: str) -> None:
    lines = "".join(f"  kapsule-devops:{section}\n" for section in sections)
    edited(folder, "  kapsule-devops:runners:\n", f"{lines}  kapsule-devops:runners:\n")


def test_an_environment_is_priced(run: Run) -> None:
    assert run("acme/kapsule-devops/prod") == (0, """\
prod: nodes in fr-par-1, as Scaleway's catalogue prices them today

  pool    node type    nodes  EUR/h each         EUR/month
  system  PLAY2-NANO       2     0.02754             40.21
  prod    GP1-XS      2 to 5     0.09282  135.52 to 338.79
  total                                   175.73 to 379.00

A month is 730 hours. Not in it: disks, addresses, secrets, traffic, taxes.
""", "")  # fmt: skip


def test_the_readme_has_what_it_prints(run: Run) -> None:
    text = (ROOT / "README.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("|")]
    names, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines[lines.index("| EUR a month | dev | preprod | prod |") :][:5]
    ]
    assert rows.pop(0) == ["---"] * 4
    for column, stack in enumerate(names[1:], 1):
        code, out, _ = run(stack)
        assert code == 0
        pools = re.findall(r"^  \S+ +(\S+-\S+) +(\d.*?)  +\S+ +(\d.*)$", out, re.MULTILINE)
        printed = [f"{nodes} {kind}: {month}" for kind, nodes, month in pools]
        (total,) = re.findall(r"^  total +(.*)$", out, re.MULTILINE)
        assert [row[column] for row in rows] == [*printed, total]


def test_a_guest_pays_only_for_its_own_pool(run: Run, folder: Path) -> None:
    edited(folder, "    devops: { name: devops-dev }\n", "")
    added(folder, "cluster: {mode: shared, ownerStack: prod}")
    code, out, _ = run()
    assert code == 0
    assert [line.split()[0] for line in out.splitlines() if line.startswith("  ")] == ["pool", "dev", "total"]
    assert "  135.52\n\nA month is 730 hours. Not in it: cluster and system pool of prod, disks,\n" in out


def test_another_zone_has_its_own_prices(run: Run, folder: Path) -> None:
    added(folder, "scaleway: {zone: fr-par-3}", "systemPool: {nodeType: PRO2-XXS}")
    code, out, _ = run()
    assert (code, "0.13923" in out, "0.08415" in out) == (0, True, True)


def test_a_price_by_the_minute_is_one_by_the_hour(run: Run, folder: Path) -> None:
    added(folder, "scaleway: {region: pl-waw, zone: pl-waw-2}")
    edited(folder, "nodeType: GP1-XS", "nodeType: L4-1-24G")
    assert "0.78750    1149.75" in run()[1]


def test_wrong_node_types_are_told_at_once(run: Run, folder: Path) -> None:
    edited(folder, "nodeType: GP1-XS", "nodeType: ENT1-S")
    added(folder, "systemPool: {nodeType: GP9-XS}")
    code, out, err = run()
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        "error: 2 problems:",
        "  systemPool.nodeType = 'GP9-XS' (Pulumi.dev.yaml): must be an Instance type that Scaleway's catalogue has in "
        "fr-par-1, or Scaleway refuses the pool, and its price is not known. Fix: pulumi config set --path "
        "systemPool.nodeType TYPE   # one of: scw instance server-type list zone=fr-par-1",
        "  runnerPool.nodeType = 'ENT1-S' (Pulumi.dev.yaml): must be a type that Scaleway still runs, and in fr-par-1 it is "
        "retired, or Scaleway refuses the pool, and its price means nothing. Fix: pulumi config set --path "
        "runnerPool.nodeType POP2-8C-32G",
    ]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("size: 2", "size: -1", "runnerPool.size = -1 (Pulumi.dev.yaml): must be at least 0, or no job can run. Fix: "),
        ("config:", "config: [", "Pulumi.dev.yaml: must be YAML, which it is not in line "),
    ],
)  # fmt: skip
def test_settings_that_are_wrong_are_told(run: Run, folder: Path, before: str, after: str, said: str) -> None:
    edited(folder, before, after)
    code, out, err = run()
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("error: ")
    assert said in err
    assert "Fix: " in err


def test_what_is_encrypted_is_told_with_its_fix(run: Run, folder: Path) -> None:
    edited(folder, "    size: 2", "    size: {secure: AAAA}")
    assert run() == (
        1,
        "",
        "error: Pulumi.dev.yaml: kapsule-devops:runnerPool is encrypted, so only a preview can check it: the settings must "
        "be readable, or it is not known which nodes there are. Fix: pulumi config set --path KEY VALUE --plaintext, where "
        "it is no secret\n",
    )


def test_a_stack_that_is_none_is_told(run: Run) -> None:
    code, out, err = run("dve")
    assert (code, out) == (1, "")
    assert err.startswith(
        "error: Pulumi.dve.yaml cannot be read: No such file or directory: it must be there, or there are"
    )


def test_a_service_that_fails_is_told(run: Run, serve: Callable[..., str], api: Any) -> None:
    for url, said in (
        (NOWHERE, "cannot be reached"),
        (serve(b"{}", 500), "answers 500"),
        (serve(b"[]"), "is no price"),
    ):
        code, out, err = run(url=url)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert err.startswith("error: Scaleway's catalogue ")
        assert said in err


@pytest.mark.parametrize("arguments", [[], ["--stack"], ["--stack", "a b"], ["--stack", "../x/../y"], ["--sta", "dev"]])
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments, {})
    assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_an_interrupt_leaves_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("costs.__main__.asked", interrupted)
    assert run() == (130, "", "")


def test_no_key_is_sent_and_each_type_is_asked_for_once(run: Run, folder: Path, api: Any, server: Any) -> None:
    edited(folder, "nodeType: GP1-XS", "nodeType: PLAY2-NANO")
    seen: list[dict[str, Any]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RequestLog, "add", lambda _, **entry: seen.append(entry))
        assert run()[0] == 0
    assert [(each["operation"], each["query"]) for each in seen] == [
        ("catalog.ListPublicCatalogProducts", "api_ids=PLAY2-NANO&product_types=instance&zone=fr-par-1")
    ]


def test_it_runs_without_credentials_and_engine(folder: Path, api: Any) -> None:
    environment = {"PATH": str(folder), "PYTHONPATH": str(ROOT), "SCW_API_URL": api.url, "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "-m", "costs", "--stack", "dev"], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "155.62" in done.stdout
