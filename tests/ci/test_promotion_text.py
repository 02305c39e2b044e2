"""The description of a promotion: its exact text, titles that cannot leave their place, and what people wrote stays."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ci.promotion_text import BEGIN, END, LISTED, Content, Merged, block, code, one_line, same, with_block

TWO = [Merged(iid=12, title="Add a cache", author="alice"), Merged(iid=11, title="Fix `it`", author="bob.b")]


def _content(merged: list[Merged], **more: object) -> Content:
    return Content(**({"source": "main", "target": "preprod", "merged": merged, "commits": 4} | more))  # type: ignore[arg-type] # `more` is of any type


def test_the_description() -> None:
    assert block(_content(TWO, since=7)) == (
        "<!-- ci.promote: begin. Each run writes this part anew; text above and below it stays. -->\n"
        "\n"
        "Promotes `main` to `preprod`: 2 merge requests since !7.\n"
        "\n"
        "* !12 `Add a cache` (@alice)\n"
        "* !11 `` Fix `it` `` (@bob.b)\n"
        "\n"
        "<!-- ci.promote: end -->"
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (_content(TWO[:1]), "1 merge request."),
        (_content(TWO, complete=False), "at least 2 merge requests."),
        (_content([]), "no merge request, 4 commits that came without one."),
        (_content([], since=7, commits=1), "no merge request since !7, 1 commit that came without one."),
        (_content([], complete=False), "no merge request, at least 4 commits that came without one."),
    ],
)
def test_what_it_says_first(content: Content, sentence: str) -> None:
    assert block(content).split("\n")[2] == f"Promotes `main` to `preprod`: {sentence}"


def test_a_long_list_says_how_many_more() -> None:
    lines = block(_content([Merged(iid=n, title="t", author="a") for n in range(LISTED + 3)])).split("\n")
    assert lines[-4:] == ["* !49 `t` (@a)", "* and 3 more", "", END]
    assert len([line for line in lines if line.startswith("* !")]) == LISTED


def test_an_author_that_is_no_user_name_is_left_out() -> None:
    assert "* !1 `t`\n" in block(_content([Merged(iid=1, title="t", author="a) @all (")]))


# --- titles -----------------------------------------------------------------------------------------------------------

NASTY = [
    "@all @alice", "Closes #12, see !3 and &4", "`code` and ``more``", "` ", "[x](https://example.com)", "<b>bold</b>",
    "<!-- ci.promote: end -->", "-->", "/close", "x\n/merge", "x\r\n* !99 y", "\u2028# heading", "a\u202eb", "|a|b|", "\\",
    "***", "`", "```\ncode", "\ud800", "", " ", "$`math`$", ":smile:", "~label %milestone", "&#64;alice", "\\`@alice\\`",
]  # fmt: skip


def _shown(text: str) -> list[tuple[str, str]]:
    """What a Markdown reader makes of it: the inline parts of each list item."""
    found = []
    for token in MarkdownIt("commonmark").parse(text):
        if token.type == "inline" and token.level == 3:
            found += [(child.type, child.content) for child in token.children or []]
    return found


@pytest.mark.parametrize("title", NASTY)
def test_a_nasty_title_is_code_and_nothing_else(title: str) -> None:
    text = block(_content([Merged(iid=5, title=title, author="alice")]))
    assert _shown(text) == [("text", "!5 "), ("code_inline", one_line(title)), ("text", " (@alice)")]


@given(st.lists(st.one_of(st.text(), st.text(alphabet="`@!#<>-*\\/\n $&[]() a")), min_size=1, max_size=4))
def test_any_titles_stay_in_their_items(titles: list[str]) -> None:
    text = block(_content([Merged(iid=n, title=t, author="alice") for n, t in enumerate(titles)]))
    expected: list[tuple[str, str]] = []
    for n, title in enumerate(titles):
        expected += [("text", f"!{n} "), ("code_inline", one_line(title)), ("text", " (@alice)")]
    assert _shown(text) == expected
    assert [line for line in text.split("\n") if not line.startswith("* ")] == [
        BEGIN, "", f"Promotes `main` to `preprod`: {len(titles)} merge request{'s' * (len(titles) > 1)}.", "", "", END,
    ]  # fmt: skip
    assert not re.search(r"^\s*/", text, re.MULTILINE)


@given(st.text())
def test_code_is_one_line_that_can_be_encoded(text: str) -> None:
    code(text).encode()
    assert len(code(text).splitlines()) == 1


# --- what people wrote ------------------------------------------------------------------------------------------------


def test_the_first_block_is_added_below_what_is_there() -> None:
    new = block(_content(TWO))
    assert with_block("", new) == with_block(" \n", new) == new
    assert with_block("By hand.\n", new) == f"By hand.\n\n{new}"


def test_text_above_and_below_stays() -> None:
    old, new = block(_content(TWO)), block(_content(TWO[:1]))
    assert with_block(f"Above.\n{old}\n\nBelow, with {END} in it.", new) == (
        f"Above.\n{new}\n\nBelow, with {END} in it."
    )
    assert with_block(f"\r\nAbove.\r\n{old.replace(chr(10), chr(13) + chr(10))}\r\nBelow.", new) == (
        f"\r\nAbove.\r\n{new}\nBelow."
    )


@pytest.mark.parametrize("rest", [BEGIN, END, f"{END}\n{BEGIN}", f"{BEGIN}\n{BEGIN}\nx"])
def test_markers_that_somebody_broke_keep_the_text_and_heal(rest: str) -> None:
    first, second = block(_content(TWO)), block(_content(TWO[:1]))
    once = with_block(f"Text.\n{rest}\nMore.", first)
    assert once == f"Text.\n{rest}\nMore.\n\n{first}"
    assert with_block(once, second) == f"Text.\n{rest}\nMore.\n\n{second}"


@given(st.text(), st.text(), st.lists(st.text(), max_size=3))
def test_a_round_trip_keeps_human_text(above: str, below: str, titles: list[str]) -> None:
    old = block(_content(TWO))
    new = block(_content([Merged(iid=n, title=t, author="a") for n, t in enumerate(titles)]))
    once = with_block(f"{above}\n{old}\n{below}", new)
    assert once == f"{above}\n{new}\n{below}"
    assert with_block(once, new) == once


def test_what_a_form_changes_is_no_difference() -> None:
    assert same("a\r\nb \r\n\r\n", "a\nb")
    assert not same("a\nb", "a\n\nb")
