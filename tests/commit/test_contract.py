"""The contract: replies of every kind read, any draft rendered in form, names checked, rules kept."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.domain.commits import CommitMessage, PastCommit, RuleFile
from aircher.policy.commit.grounding import names_in, strange_names, without
from aircher.policy.commit.language import language_of
from aircher.policy.commit.lint import LintRules, lint, rules_of
from aircher.policy.commit.message import Contract, cut, render, wrap
from aircher.policy.commit.reply import Draft, read_reply
from aircher.policy.commit.style import learn, nearest, parted
from aircher.policy.commit.ticket import ticket_of
from aircher.policy.commit.words import imperative

GOOD = {
    "type": "fix",
    "scope": "api",
    "subject": "Close files",
    "body": "They leaked.",
    "breaking": "",
}
JSON = json.dumps({"messages": [GOOD]})
WHOLE = Draft("Close files", "They leaked.", "fix", "api")
PLAIN = Draft("Close files", "They leaked.")

REPLIES = {
    "json": (JSON, WHOLE),
    "fenced json": (f"```json\n{JSON}\n```", WHOLE),
    "preamble and json": (f"Sure, here it is:\n\n{JSON}\n\nLet me know!", WHOLE),
    "thinking": (f"<think>fix: {{not this}}</think>\n{JSON}", WHOLE),
    "thinking without its beginning": (f"so I will\n</think>\n{JSON}", WHOLE),
    "thinking never closed": ("<think>I wonder what", None),
    "bare object": (json.dumps(GOOD), WHOLE),
    "bare list": (json.dumps([GOOD]), WHOLE),
    "trailing comma": (JSON.replace('""}', '"",}'), WHOLE),
    "raw newline in a string": ('{"subject": "Close files", "body": "They\nleaked."}', Draft("Close files", "They\nleaked.")),
    "whole message in one field": ('{"message": "fix(api): Close files\\n\\nThey leaked."}', WHOLE),
    "words for nothing": ('{"type": "none", "subject": "Close files", "body": "N/A", "scope": null}', Draft("Close files")),
    "bullets as a list": ('{"subject": "Close files", "body": ["one", "- two"]}', Draft("Close files", "- one\n- two")),
    "plain": ("Close files\n\nThey leaked.", PLAIN),
    "plain conventional": ("fix(api): Close files\n\nThey leaked.", WHOLE),
    "fence": ("```\nClose files\n\nThey leaked.\n```", PLAIN),
    "preamble and fence": ("Here's a commit message:\n```text\nClose files\n\nThey leaked.\n```\nIt says it all.", PLAIN),
    "labelled": ("**Subject:** Close files\n\n**Body:** They leaked.", PLAIN),
    "commit message label": ("Commit message: Close files", Draft("Close files")),
    "quoted": ('"Close files"', Draft("Close files")),
    "ticks": ("`Close files`", Draft("Close files")),
    "bold": ("**Close files**", Draft("Close files")),
    "heading": ("# Close files\n\nThey leaked.", PLAIN),
    "quoted word inside": ('Close "all" files', Draft('Close "all" files')),
    "preamble in one line": ("Certainly! Here is the message:\nClose files", Draft("Close files")),
    "closing words": ("Close files\n\nThey leaked.\n\nLet me know if you want changes.", PLAIN),
    "tags": ("<commit_message>\nClose files\n</commit_message>", Draft("Close files")),
    "escape sequences": ("\x1b[1mClose files\x1b[0m", Draft("[1mClose files[0m")),
    "refusal": ("I'm sorry, but I can't help with that.", None),
    "a question back": ("Please provide the diff.", None),
    "empty": ("   \n", None),
    "json of something else": ('{"answer": 42}', None),
    "json cut off": ('{"messages": [{"subject": "Clo', None),
    "a refusal in the schema": ('{"messages": [{"subject": "I cannot assist with that", "body": ""}]}', None),
    "null": ("null", None),
    "a number": ("42", None),
    "letters in a list": ('["a", "b"]', None),
    "the diff again": ("diff --git a/x b/x\n+x", None),
    "a command": ('git commit -m "Close files" -m "They leaked."', PLAIN),
    "a heading that says what it is": ("# Commit message\n\nClose files\n\nThey leaked.", PLAIN),
    "a subject in two lines": ('{"subject": "Close\\nfiles\\n\\nThey leaked."}', PLAIN),
    "an empty list": ('{"messages": []}', None),
    "breaking": ("feat!: Drop old files", Draft("Drop old files", "", "feat", "", "Drop old files")),
}  # fmt: skip


@pytest.mark.parametrize("name", REPLIES)
def test_replies_of_every_kind(name: str) -> None:
    text, wanted = REPLIES[name]
    assert read_reply(text) == ([] if wanted is None else [wanted])


def test_several_in_one_reply() -> None:
    for text in (
        "1. Close files\n2. Add names",
        "- Close files\n- Add names",
        "Close files\nAdd names",
    ):
        assert [draft.subject for draft in read_reply(text, 2)] == ["Close files", "Add names"]


@given(st.text(max_size=300))
def test_no_reply_breaks_the_reader(text: str) -> None:
    for draft in read_reply(text):
        message = render(draft, Contract())
        assert message.subject


SUBJECTS = [
    ("Added a parser.", "Add a parser"),
    ("adds tests", "Add tests"),
    ("Fixing the leak!", "Fix the leak"),
    ("Updates to the docs", "Updates to the docs"),
    ("Handling of nothing", "Handling of nothing"),
    ("stopped waiting", "Stop waiting"),
    ("applies rules", "Apply rules"),
    ("README mentions it", "README mentions it"),
    ("parse_diff() reads bytes", "parse_diff() reads bytes"),
    ("iOS builds again", "iOS builds again"),
    ("- tidy  up\nthe rest", "Tidy up the rest"),
    ("#12 is fixed...", "12 is fixed"),
    ("re-run failed jobs", "Re-run failed jobs"),
]


@pytest.mark.parametrize(("said", "wanted"), SUBJECTS)
def test_subjects_are_imperative_sentences_without_a_period(said: str, wanted: str) -> None:
    assert render(Draft(said), Contract(case="upper")).subject == wanted


def test_conventional_headers() -> None:
    contract = Contract(conventional=True, case="lower", scopes=("core",))
    assert (
        render(Draft("Add x", type="FEAT", scope="Core"), contract).subject == "feat(core): add x"
    )
    assert render(Draft("Add x", type="wild", scope="else"), contract).subject == "chore: add x"
    broken = render(Draft("Add x", type="feat", breaking="x is gone"), contract)
    assert str(broken) == "feat!: add x\n\nBREAKING CHANGE: x is gone\n"
    assert render(Draft("Add x", type="feat"), Contract()).subject == "Add x"


LONG = "Read the diff by its own counts so that a file which holds a diff misleads nobody (see the tests)"


def test_a_long_subject_is_cut_between_words_that_can_stand_at_an_end() -> None:
    assert cut(LONG, 72) == "Read the diff by its own counts so that a file which holds a diff"
    assert cut(LONG, 47) == "Read the diff by its own counts so that a file"
    assert cut("Add `some_very_long_name and more` to it", 30) == "Add"
    assert cut("Fix it (and all of the rest of it)", 25) == "Fix it"
    assert cut("Add a reader that is really quite long", 34) == "Add a reader"


texts = st.text(alphabet=st.sampled_from("abc ABC.,`()#-_\n\té日'\""), max_size=200)


@given(texts, texts, st.integers(30, 100), st.booleans())
def test_any_draft_comes_out_in_form(
    subject: str, body: str, length: int, conventional: bool
) -> None:
    contract = Contract(subject_length=length, conventional=conventional, case="upper")
    message = render(Draft(subject or "x", body, "fix", "scope"), contract)
    assert len(message.subject) <= length
    assert "\n" not in message.subject
    assert message.body == message.body.strip("\n").rstrip()
    for line in message.body.split("\n"):
        assert not line.startswith("#")
        kept = line.startswith(("    ", "\t", "|", "```")) or " " not in line.strip()
        bullet = re.match(r"\s*([-*+•]|\d+[.)])\s", line)
        assert len(line) <= 72 or kept or bullet or "`" in body


def test_wrapping_leaves_code_tables_and_urls() -> None:
    url = "https://example.invalid/" + "x" * 80
    text = f"See {url} for more words that follow after it.\n\n```\n{'code ' * 20}\n```\n\n- {'item ' * 20}\n\n    {'indented ' * 10}\n| {'cell ' * 20}|"
    wrapped = wrap(text, 72)
    assert url in wrapped
    assert f"\n{'code ' * 20}".rstrip() in wrapped
    assert "- item item" in wrapped
    assert "\n  item" in wrapped
    assert f"    {'indented ' * 10}".rstrip() in wrapped
    assert f"| {'cell ' * 20}|" in wrapped
    assert wrap("It closes\n#12", 72) == "It closes\n #12"


def test_nobody_is_vouched_for() -> None:
    body = "Why.\n\nSigned-off-by: A Model <a@b>\nCo-authored-by: X <x@y>\n"
    assert str(render(Draft("Add x", body), Contract())) == "Add x\n\nWhy.\n"


def test_a_body_that_says_the_subject_again_is_dropped() -> None:
    assert render(Draft("Add x", "Add x.\n\nWhy."), Contract()).body == "Why."


# -- names

EVIDENCE = "src/parser.py\n+def parse_diff(text):\n+    return load(text)\n version 1.2.3 --no-ext-diff HttpClient"


@pytest.mark.parametrize(
    ("text", "strange"),
    [
        ("Add parse_diff() to src/parser.py", []),
        ("Add `parse_diff` and load() in parser.py", []),
        ("Use HttpClient with --no-ext-diff at 1.2.3", []),
        ("Add render_diff()", ["render_diff()"]),
        ("Fix src/other.py", ["src/other.py"]),
        ("Pass --no-color", ["--no-color"]),
        ("Bump to 1.2.4", ["1.2.4"]),
        ("Close ABC-12 and #7", ["ABC-12", "#7"]),
        ("Let JavaScript and GitHub read UTF-8, e.g. and/or", []),
        ("See https://example.invalid/a_b/c_d for it", []),
        ("Drop FooBar", ["FooBar"]),
    ],
)
def test_names_must_stand_in_the_diff(text: str, strange: list[str]) -> None:
    assert strange_names(CommitMessage(text), EVIDENCE) == strange


def test_strange_names_are_taken_out() -> None:
    message = CommitMessage(
        "fix: Close files in `foo_bar` early",
        "It calls foo_bar(). All is well.\n\n- keeps it\n- uses `foo_bar`",
    )
    assert str(without(message, ["foo_bar", "foo_bar()"], "Change x.py")) == (
        "fix: Close files early\n\nAll is well.\n\n- keeps it\n"
    )
    assert (
        without(CommitMessage("Add foo_bar"), ["foo_bar"], "Change x.py").subject == "Change x.py"
    )


@given(st.text(max_size=100))
def test_looking_for_names_never_fails(text: str) -> None:
    for name in names_in(text):
        assert strange_names(CommitMessage(text), text) == []
        assert name


# -- tickets

BRANCHES = {
    "ABC-12": "ABC-12", "feature/ABC-123-add-x": "ABC-123", "fix/PROJ2-9_y": "PROJ2-9",
    "utf-8": "", "UTF-8-names": "", "sha-256": "", "SHA-256-repos": "", "release-2.0": "", "RELEASE-2": "",
    "feature/utf-8-and-sha-256": "", "python-3.12": "", "node-18": "", "iso-8859-1": "", "CVE-2024-1234": "",
    "v-1": "", "PR-12": "", "main": "", "abc-12": "", "feature/http-2": "", "ABC-12-DEF-13": "",
    "dependabot/npm/lodash-4.17.21": "", "x-86": "", "hotfix-3": "", "ABC-0": "", "step-2": "", "covid-19": "",
    "ABC-1.5": "", "base-64": "", "user/ABC-7": "ABC-7", "123-fix": "", "phase-2-rollout": "",
}  # fmt: skip


@pytest.mark.parametrize("branch", BRANCHES)
def test_tickets_of_branches(branch: str) -> None:
    assert ticket_of(branch) == BRANCHES[branch]


def test_tickets_that_the_history_knows() -> None:
    assert ticket_of("feature/abc-12-x", ["ABC"]) == "ABC-12"
    assert ticket_of("feature/xyz-12", ["ABC"]) == ""
    assert ticket_of("issue-42", numbers=True) == "#42"
    assert ticket_of("42-fix-it", numbers=True) == "#42"
    assert ticket_of("release-2", numbers=True) == ""


# -- style


def past(*messages: str) -> list[PastCommit]:
    return [PastCommit(str(n), text, (f"src/{n}.py",)) for n, text in enumerate(messages)]


def test_style_is_learnt() -> None:
    style = learn(
        past(*["feat(api): add x\n\nWhy.\n\nRefs: ABC-1"] * 6, *["fix: mend y"] * 3, "Merge it")
    )
    assert style.conventional
    assert style.types == {"feat": 6, "fix": 3}
    assert style.scopes == {"api": 6}
    assert round(style.body_share, 1) == 0.6
    assert style.ticket_place == "trailer"
    assert style.ticket_trailer == "Refs"
    assert "Refs" in style.trailers
    assert style.upper_share < 0.2
    assert not learn(past("feat: one")).conventional  # one is no habit
    areas = learn(past(*["net/http: fix x"] * 6))
    assert areas.areas
    emoji = learn(past(*[":sparkles: Add x"] * 4, *["🐛 Fix y"] * 4))
    assert emoji.emoji_share == 1
    assert learn(past(*["ABC-12: Add x"] * 6)).ticket_place == "prefix"
    assert learn(past(*["[ABC-12] Add x"] * 6)).ticket_place == "bracket"


def test_languages() -> None:
    assert (
        language_of(["Füge die Datei hinzu und lösche sie nicht", "Ist mit der alten Version"])
        == "de"
    )
    assert language_of(["Ajout de la page pour les utilisateurs"]) == "fr"
    assert language_of(["修复错误"]) == "zh"
    assert language_of(["Fix x", "Tidy"]) == "en"


def test_the_nearest_commits_touched_the_same_places() -> None:
    history = [
        PastCommit(str(n), f"Do {n}", (path,))
        for n, path in enumerate(["a/x.py", "b/y.py", "b/z.py", "c.md"])
    ]
    assert [c.subject for c in nearest(history, ["b/y.py"], 2)] == ["Do 1", "Do 2"]
    assert nearest(history, ["b/y.py"], 0) == []


def test_trailers_are_parted() -> None:
    assert parted("Why.\n\nRefs: X-1\nSigned-off-by: A <a@b>") == (
        "Why.",
        ("Refs: X-1", "Signed-off-by: A <a@b>"),
    )
    assert parted("Note: this is prose\nand more") == ("Note: this is prose\nand more", ())
    assert parted("Change-Id: I1") == ("", ("Change-Id: I1",))


@given(st.text(alphabet="abcdefgh ", min_size=1, max_size=40))
def test_an_imperative_stays_one(text: str) -> None:
    once = imperative(text)
    assert imperative(once) == once


# -- a repository's rules

RULES = [
    (RuleFile("commitlint", "x", {"extends": ["@commitlint/config-conventional"]}), {"conventional": True, "max_subject": 100}),
    (RuleFile("commitlint", "x", {"rules": {"type-enum": [2, "always", ["a"]], "scope-empty": [2, "never"]}}), {"types": ("a",), "scope_required": True}),
    (RuleFile("commitlint", "x", {"rules": {"header-max-length": [0, "always", 10]}}), {"max_subject": None}),
    (RuleFile("commitlint", "x", {"rules": {"subject-case": [2, "always", "sentence-case"]}}), {"subject_case": "upper"}),
    (RuleFile("gitlint", "x", {"title-max-length": {"line-length": "50"}, "general": {"contrib": "CT1"}}), {"max_subject": 50, "conventional": True}),
    (RuleFile("gitlint", "x", {"general": {"ignore": "T1,B6"}}), {"max_subject": None, "max_body_line": 80}),
    (RuleFile("commitizen", "x", {"name": "cz_conventional_commits"}), {"conventional": True}),
    (RuleFile("commitizen", "x", {"name": "cz_customize", "customize": {"schema_pattern": "^X"}}), {"conventional": False, "pattern": "^X"}),
]  # fmt: skip


@pytest.mark.parametrize(("file", "wanted"), RULES)
def test_rule_files_are_understood(file: RuleFile, wanted: dict[str, object]) -> None:
    rules = rules_of([file])
    assert {name: getattr(rules, name) for name in wanted} == wanted


def test_messages_are_linted() -> None:
    rules = LintRules(conventional=True, types=("fix",), scopes=("a",), max_subject=20, max_body_line=30,
                      body_required=True, forbidden_words=("wip",), pattern="^fix", trailers=("Refs",))  # fmt: skip
    said = "\n".join(lint(CommitMessage("feat(b): wip on many things"), rules))
    for words in (
        "at most 20",
        "type 'feat'",
        "scope 'b'",
        "body is required",
        "'wip'",
        "pattern",
        "'Refs'",
    ):
        assert words in said
    assert lint(CommitMessage("fix(a): x", "Why.", ("Refs: 1",)), rules) == []
    assert lint(CommitMessage("no header"), LintRules(conventional=True)) != []


def test_a_hostile_pattern_ends_in_time() -> None:
    rules = LintRules(pattern=r"^(\w+\s?)*$")
    assert lint(CommitMessage("x" * 60 + "!"), rules) in (
        [],
        [f"the message must match the pattern {rules.pattern}"],
    )
