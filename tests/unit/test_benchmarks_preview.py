"""The figure of previews, and the edits that make the variants of it."""

import contextlib
from pathlib import Path

import pytest

from benchmarks.figures import Figure
from benchmarks.preview import Repetition, figures, import_statements, lives
from benchmarks.preview_variants import VARIANTS, Edit, EditError, edited
from benchmarks.processes import Life, Watched

ROOT = Path(__file__).parents[2]


def repetition(empty: float, full: float, slower: float = 1.0) -> Repetition:
    return Repetition(empty=empty, full=full, variants={"slow": full + slower}, imports=0.9, bare=0.5)


def ratio(found: list[Repetition], watched: dict[str, Watched] | None = None) -> Figure:
    return next(figures(found, watched or {}, 103))


def life(role: str, cpu: float = 1.0) -> Life:
    return Life(role=role, start=0.25, end=2.0, cpu=cpu, peak_mb=99.6)


def watched(*roles: str) -> Watched:
    return Watched(seconds=2.0, peak_mb=100.0, lives=[life(role) for role in roles])


@pytest.mark.parametrize("name", VARIANTS)
def test_each_variant_still_fits_the_program_and_leaves_python(name: str, tmp_path: Path) -> None:
    for edit in VARIANTS[name]:
        file = tmp_path / edit.file
        file.parent.mkdir(exist_ok=True)
        file.write_text((ROOT / edit.file).read_text())
    before = {file: file.read_text() for file in tmp_path.rglob("*.py")}
    with edited(tmp_path, VARIANTS[name]):
        for file, text in before.items():
            assert file.read_text() != text
            compile(file.read_text(), str(file), "exec")
    assert {file: file.read_text() for file in before} == before


def test_an_edit_that_does_not_fit_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("one\ntwo\ntwo\n")
    edits = [Edit(file="a.py", old="one", new="1"), Edit(file="a.py", old="two", new="2")]
    with pytest.raises(EditError, match=r"a\.py holds 2 times, not once: 'two'"), edited(tmp_path, edits):
        pass
    assert file.read_text() == "one\ntwo\ntwo\n"


def test_edits_of_one_file_add_up_and_are_undone_after_a_failure(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("one\ntwo\n")
    edits = [Edit(file="a.py", old="one", new="1"), Edit(file="a.py", old="two", new="2")]
    during = ""
    with contextlib.suppress(RuntimeError), edited(tmp_path, edits):
        during = file.read_text()
        raise RuntimeError("what is measured failed")
    assert during == "1\n2\n"
    assert file.read_text() == "one\ntwo\n"


def test_the_ratio_is_of_previews_of_the_same_repetition() -> None:
    found = ratio([repetition(2.0, 3.0), repetition(4.0, 8.0), repetition(1.0, 1.5)])
    assert list(found.values) == [1.5, 2.0, 1.5]
    assert found.kept
    assert "103 resources" in found.meaning


def test_the_seconds_of_the_environments_preview_are_a_figure_of_their_own() -> None:
    _, found = figures([repetition(2.0, 3.0), repetition(4.0, 8.0), repetition(1.0, 1.5)], {}, 103)
    assert (found.name, list(found.values), found.kept) == ("preview_seconds", [3.0, 8.0, 1.5], True)


def test_a_variant_is_told_by_what_it_takes_more_than_shipped() -> None:
    found = ratio([repetition(2.0, 3.0, 0.5), repetition(2.0, 9.0, 0.7), repetition(2.0, 3.0, 0.6)])
    tried = found.details["one thing taken back, left out or added"]["slow"]
    assert tried["seconds more than shipped"] == pytest.approx(0.6)
    assert tried["seconds"] == pytest.approx(3.6)


def test_the_processes_of_a_preview_are_told_but_not_the_shells_between() -> None:
    assert lives([life("engine"), life("other"), life("plugin gitlab", 0.257)]) == [
        {"process": "engine", "from": 0.2, "to": 2.0, "processor seconds": 1.0, "MB": 100},
        {"process": "plugin gitlab", "from": 0.2, "to": 2.0, "processor seconds": 0.26, "MB": 100},
    ]
    found = ratio([repetition(1.0, 1.0)], {"empty program": watched("engine")})
    assert len(found.details["processes of a preview of the empty program"]) == 1


def test_the_programs_imports_are_all_of_them_and_nothing_else() -> None:
    source = (
        '"""Doc."""\nimport one\n\nfrom two import (\n    three,\n    four as five,\n)\n\none.run(three)\nimport six\n'
    )
    assert import_statements(source) == "import one\nfrom two import three, four as five\nimport six"
