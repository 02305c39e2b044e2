"""What the documents name is there: files, links with their headings, commands of make, modules that are run."""

import re
from pathlib import Path

import pytest

from docs import generate
from doctor.scaleway_permissions import ORGANIZATION_SETS, PROJECT_SETS

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
# Folders whose files are named from the project's root. A name that stands in a sentence without one is not looked at.
_FOLDERS = "benchmarks|ci|components|costs|docs|doctor|examples|graph|policies|repair|sandbox|sections|tests"
_PATH = re.compile(rf"`((?:{_FOLDERS})/[\w./*@-]*)`")
_LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([\w-]+))?\)")
_MAKE = re.compile(r"`make ([a-z-]+)[^`]*`")
_MODULE = re.compile(r"python -m ([\w.]+)")
_CODE = re.compile(r"`[^`\n]*`")
_SECRET_ARGUMENT = re.compile(r"(-H|--header|-u|--user|--password|--token)[ =]\S*[^|]*\$\w*(SECRET|TOKEN|PASS)")
_SETTING = re.compile(r"pulumi config (?:set|rm|get)\b[^`\n]*?--path '?([\w.\[\]]+)")
_IMAGE = re.compile(r"\b(?:pulumi/pulumi-python|scaleway/cli)[\w.-]*:[\w.-]+")
_OTHERS = frozenset({"venv", "pip", "pytest", "json.tool"})


def named(document: Path) -> str:
    return str(document.relative_to(ROOT))


def heading(text: str) -> str:
    """The anchor of a heading, as GitLab and GitHub make it."""
    return re.sub(r"[^\w\s-]", "", text.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_what_a_document_names_is_there(document: Path) -> None:
    text = document.read_text()
    missing = [path for path in _PATH.findall(text) if not any(ROOT.glob(path.rstrip("/")))]
    for target, anchor in _LINK.findall(_CODE.sub("", text)):
        file = document.parent / target if target else document
        if not file.exists():
            missing.append(target)
        elif anchor and anchor not in map(heading, re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)):
            missing.append(f"{target}#{anchor}")
    assert missing == []


def test_every_command_that_is_named_is_one() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        text = document.read_text()
        assert set(_MAKE.findall(text)) <= targets, document
        for module in set(_MODULE.findall(text)) - _OTHERS:
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), (document, module)


def test_every_setting_that_a_command_names_is_one() -> None:
    known = set(re.findall(r"^\| `([\w.\[\]]+)`", generate.configuration(), re.MULTILINE))
    named = {key for document in DOCUMENTS for key in _SETTING.findall(document.read_text())}
    named -= {"gitlab.branch.nmae"}  # README shows how that is refused
    assert {re.sub(r"\[\d+\]", "", key) for key in named if not key.startswith("gitlab.variables.")} <= known


def test_the_images_in_documents_are_those_of_the_pipelines() -> None:
    pipelines = [*ROOT.glob("templates/*.yml"), *ROOT.glob("examples/**/.gitlab-ci.yml")]
    used = {image for file in pipelines for image in _IMAGE.findall(file.read_text())}
    named = {image for document in DOCUMENTS for image in _IMAGE.findall(document.read_text())}
    assert len(named) == 2
    assert named <= used


@pytest.mark.parametrize("name", ["README.md", "docs/first-environment.md"])
def test_the_first_keys_sets_are_those_that_the_doctor_asks_for(name: str) -> None:
    named = set(re.findall(r"`(\w+(?:FullAccess|Manager))`", (ROOT / name).read_text()))
    wanted = {each for names in PROJECT_SETS.values() for each in names} | set(ORGANIZATION_SETS)
    assert wanted <= named
    assert {each for each in named - wanted if not each.startswith("ObjectStorage")} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_no_command_has_a_secret_among_its_arguments(document: Path) -> None:
    """Everybody on the machine can read them; a builtin's, as of printf, nobody can."""
    assert [line for line in document.read_text().splitlines() if _SECRET_ARGUMENT.search(line)] == []


def test_the_search_finds_what_it_is_for() -> None:
    text = "`tests/unit/` and `docs/x.md` [a](b.md#c-d) [e](#f) `make up ENV=dev` python -m ci.deploy"
    assert _PATH.findall(text) == ["tests/unit/", "docs/x.md"]
    assert _LINK.findall(text) == [("b.md", "c-d"), ("", "f")]
    assert (_MAKE.findall(text), _MODULE.findall(text)) == (["up"], ["ci.deploy"])
    assert _SETTING.findall("`pulumi config set -s dev --path 'a.b[0]' x` pulumi config rm --path c") == ["a.b[0]", "c"]
    assert _IMAGE.findall("image: pulumi/pulumi-python-3.11:3.259.0") == ["pulumi/pulumi-python-3.11:3.259.0"]
    assert _SECRET_ARGUMENT.search('curl -H "PRIVATE-TOKEN: $GITLAB_TOKEN" x')
    assert not _SECRET_ARGUMENT.search("printf 'PRIVATE-TOKEN: %s' \"$GITLAB_TOKEN\" | curl -H @- x")
    assert heading("If you change … run …") == "if-you-change--run-"
