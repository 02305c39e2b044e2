"""Notes as they were reviewed, their size, and that nothing in a preview can break out of where it is shown."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ci import note, terminal
from ci.redaction import clean
from ci.report import NO_MORE_IN_JSON, Run
from tests.ci.conftest import EXPECTED, RUN, SAMPLES, report_of, sample, step

Write = Callable[..., Path]
ROOT = Path(__file__).parents[2]
FORMS = ("changes", "failed", "policy", "drift", "same")


@pytest.mark.parametrize("name", FORMS)
def test_the_note_is_as_reviewed(name: str) -> None:
    report = sample(f"{name}.events")
    expected = (EXPECTED / f"{name}.md").read_text()
    assert note.markdown(report) == expected
    if name != "policy":
        assert note.markdown(sample(f"{name}.json")) == expected


def test_the_document_about_the_note_shows_a_real_one_and_its_words() -> None:
    document = (ROOT / "docs" / "merge-request-note.md").read_text()
    (shown,) = re.findall(r"^```markdown\n(.*?)^```$", document, re.DOTALL | re.MULTILINE)
    assert (EXPECTED / "changes.md").read_text().startswith(shown)
    in_merge_requests = [name for name in FORMS if name != "drift"]  # no preview of one refreshes, as templates/ has it
    notes = "".join((EXPECTED / f"{name}.md").read_text() for name in in_merge_requests)
    titles = set(re.findall(r"^\*\*(.*?)\*\*", notes, re.M))
    assert {"Violated policies", "Errors", "Replaced and deleted"} <= titles
    assert {title for title in titles if not title.startswith("Preview of")} - {"Replaced and deleted"} <= set(
        re.findall(r"^\| \*\*(.*?)\*\*", document, re.MULTILINE)
    )


@pytest.mark.parametrize("name", FORMS)
def test_the_terminal_text_is_as_reviewed(name: str) -> None:
    shown = terminal.text(sample(f"{name}.events"), colour=False)
    assert shown == (EXPECTED / f"{name}.txt").read_text()
    assert max(map(len, shown.splitlines())) <= 80


def test_without_events_the_note_says_where_violations_are_told() -> None:
    assert NO_MORE_IN_JSON in note.markdown(sample("policy.json"))
    assert NO_MORE_IN_JSON not in note.markdown(sample("failed.json"))


def test_the_marker_names_project_and_stack(write: Write) -> None:
    assert note.marker(sample("same.json")) == "<!-- kapsule-devops:preview project=kapsule-devops stack=dev -->"
    changed = step("create", new={})
    changed["urn"] = "urn:pulumi:a-->b::p q::t:t:T::n"
    report = report_of(write(changed), stack="org/a-->b")
    assert note.marker(report) == "<!-- kapsule-devops:preview project=p%20q stack=org/a--%3Eb -->"


def test_without_a_pipeline_there_are_no_links() -> None:
    text = note.markdown(report_of(SAMPLES / "same.json", run=Run()))
    assert text == "**Preview of `dev` (`kapsule-devops`): no changes**, 80 resources stay as they are.\n"


def test_what_is_no_commit_or_address_is_left_out() -> None:
    environ = {"CI_COMMIT_SHORT_SHA": "`x`", "CI_PIPELINE_URL": "https://x/) [y](javascript:z", "CI_JOB_URL": "ftp://x"}
    assert Run.of(environ) == Run()
    environ = {"CI_COMMIT_SHORT_SHA": RUN.commit, "CI_PIPELINE_URL": RUN.pipeline_url, "CI_JOB_URL": RUN.job_url}
    assert Run.of(environ) == RUN


def test_the_widget_counts_a_replacement_as_gitlab_does() -> None:
    assert sample("changes.json").widget() == {"create": 4, "update": 3, "delete": 2}
    assert sample("same.json").widget() == {"create": 0, "update": 0, "delete": 0}


def test_long_texts_are_shown_from_where_they_differ(write: Write) -> None:
    lines = [f"line {n}" for n in range(40)]
    old, new = {"c": "\n".join(lines)}, {"c": "\n".join([*lines[:20], "other", *lines[21:]])}
    text = note.markdown(report_of(write(step("update", old=old, new=new, detailedDiff={"c": {"kind": "update"}}))))
    assert "```diff\n  c:\n-   line 20\n+   other\n```" in text
    old, new = {"c": "x" * 500 + "old"}, {"c": "x" * 500 + "new"}
    text = note.markdown(report_of(write(step("update", old=old, new=new, detailedDiff={"c": {"kind": "update"}}))))
    assert f'- c: …"{"x" * 20}old"\n+ c: …"{"x" * 20}new"' in text


# --- size -------------------------------------------------------------------------------------------------------------


def many(count: int) -> list[dict[str, Any]]:
    return [
        step(
            "replace" if n % 2 else "update", f"r{n:04}", old={"a": "x" * 80}, new={"a": "y" * 80}, replaceReasons=["a"]
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("limit", [note.MIN_LIMIT, 5_000, 40_000])
def test_a_note_that_would_be_too_long_keeps_the_summary_and_says_what_was_cut(write: Write, limit: int) -> None:
    report = report_of(write(*many(300), changeSummary={"replace": 150, "update": 150}))
    text = note.markdown(report, limit, "A notice.")
    assert len(text) <= limit
    assert text.startswith("### Preview of `dev` (`kapsule-devops`): 300 changes\n")
    assert "| update | replace |" in text
    assert "- **replaced** `r0001`" in text
    assert "A notice." in text
    cut = re.search(r"\*\*Cut\*\* to stay below ([\d,]+) characters\. Left out: (.*)\. The log", text)
    assert cut is not None
    assert cut[1] == f"{limit:,}"
    left = re.search(r"([\d,]+) of 300 diffs", cut[2])
    assert left is not None
    assert int(left[1]) == 300 - text.count("<details><summary>updated") - text.count("<details><summary>replaced")
    assert text.count("<details>") == text.count("</details>")


def test_the_default_leaves_room_below_what_gitlab_takes(write: Write) -> None:
    assert note.DEFAULT_LIMIT < note.MAX_NOTE == 1_000_000
    report = report_of(write(*many(30)))
    text = note.markdown(report)
    assert "**Cut**" not in text
    assert "<details><summary>All 30 diffs</summary>" in text


def test_what_a_resource_or_a_message_may_take(write: Write) -> None:
    old, new = ({f"k{n:03}": f"{side}{n}" for n in range(150)} for side in "on")
    long = {"severity": "error", "message": "error: " + "\n".join(f"l{n}" for n in range(150))}
    text = note.markdown(report_of(write(step("update", old=old, new=new), diagnostics=[long])))
    assert "… and 100 more properties" in text
    assert "… and 50 more lines" in text


# --- what is in a preview stays where it is shown ---------------------------------------------------------------------

PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")
OUR_HTML = re.compile(
    r"</details>|<details><summary>(?:All [\d,]+ diffs|Warnings and output of the program)</summary>"
    r"|<details><summary>[^<>]* <code>[^<>]*</code>(?: \(<code>[^<>]*</code>\))?</summary>"
)
BREAKOUTS = [
    "`", "``` ", "\n```\n", "````", "~~~", "</details>", "</summary>", "</code>", "<script>", "<!--", "-->", "|", "\n\n",
    "\n/close\n", "@all", "@root", "#1", "!1", "[x](http://evil)", "![x](y)", "http://evil.example", "\\", "*b*", "_i_",
    "$`x`$", "\n# head\n", "\n- item\n", "\r", "\u2028", "\x85", "\x0c", "&lt;", "<kapsule-devops:preview>", "[[_TOC_]]",
]  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(BREAKOUTS), st.text(max_size=6)), min_size=1, max_size=6).map("".join)


THEIRS = "Qz"  # in every text of the preview, and in none of ours


def check_structure(text: str) -> None:
    """What comes from a preview is in code, and all else is ours."""
    for token in PARSER.parse(text):
        if token.type == "html_block":
            for line in token.content.strip().splitlines():
                assert OUR_HTML.fullmatch(line), line
        elif token.type == "inline":
            for child in token.children or []:
                assert child.type in (
                    "text",
                    "code_inline",
                    "strong_open",
                    "strong_close",
                    "link_open",
                    "link_close",
                    "softbreak",
                )
                assert child.type != "text" or not re.search(rf"{THEIRS}|[@#/<]", child.content), child.content
                assert child.type != "link_open" or child.attrs["href"] in (RUN.pipeline_url, RUN.job_url)
        elif token.type != "fence":
            assert THEIRS not in token.content
            assert re.fullmatch(
                r"(heading|paragraph|table|thead|tbody|tr|th|td|bullet_list|list_item)_(open|close)", token.type
            ), token.type


def preview(text: str) -> dict[str, Any]:
    """One with this text wherever a preview has any."""
    changed = step("update", text, old={text: text}, new={text: text + "2"}, detailedDiff={text: {"kind": "update"}})
    created = step("create", text + "c", new={"a": {text: [text]}, "b": f"{text}\n{text}"})
    lines = step("update", text + "l", old={"a": f"{text}\nx\n{text}"}, new={"a": f"{text}\n{text}"})
    replaced = step("replace", text + "r", old={"a": 1}, new={"a": 2}, replaceReasons=[text])
    other = step(text, text + "o", new={"a": text})
    errors = [{"severity": s, "message": text, "urn": f"urn:pulumi:dev::p::t::{text}"} for s in ("error", "warning")]
    return {
        "steps": [changed, created, lines, replaced, other],
        "diagnostics": errors,
        "changeSummary": {"update": 2, text: 1},
    }


def events(text: str) -> str:
    violation = {
        "policyName": text,
        "policyPackName": text,
        "message": text,
        "enforcementLevel": text,
        "resourceUrn": text,
    }
    plain = {"policyEvent": violation}, {"errorEvent": {"error": text}}, {"summaryEvent": {"result": text}}
    return "\n".join(json.dumps({"sequence": n} | event) for n, event in enumerate(plain)) + "\n"


@pytest.mark.parametrize("make", [lambda t: json.dumps(preview(t)), events], ids=["preview", "events"])
@given(text=texts)
@example(text="`")
@example(text="\n```\n</details>\n\n# x\n/close\n@all")
@example(text="a | b\n|--|")
def test_nothing_breaks_out(tmp_path_factory: pytest.TempPathFactory, make: Callable[[str], str], text: str) -> None:
    file = tmp_path_factory.mktemp("breakout") / "it"
    text = re.sub("[\x1b\x9b]", "", text)  # they would take ours for the end of a terminal code
    file.write_text(make(text + THEIRS + text))
    report = report_of(file)
    shown = note.markdown(report)
    check_structure(shown)
    assert THEIRS in shown
    assert not re.search(r"^/", shown, re.MULTILINE)  # a quick action
    assert len(re.findall("<details>", shown)) >= 1 or make is events
    assert max(map(len, terminal.text(report, colour=False).splitlines())) <= 80


@given(text=texts.map(clean))
def test_code_is_one_piece_of_code(text: str) -> None:
    one_line = " ".join(text.split())
    tokens = PARSER.parseInline(f"a {note.code(one_line)} b")[0].children or []
    assert [t.type for t in tokens] == ["text", "code_inline", "text"]
    assert tokens[1].content.strip(" ") == one_line.strip(" ")
