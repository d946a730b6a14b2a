"""``aircher commit``: its flags, its dialogue, its exit codes, what it keeps."""

from __future__ import annotations

import os
import stat

import pytest

from tests.commit.conftest import Bench
from tests.support.loopback import paced
from tests.support.recording import message, messages, said
from tests.support.repository import new_repo


def two(bench: Bench) -> None:
    bench.repo.stage("b.py", "def parse_diff():\n    return 2\n")


def test_print_is_the_message_byte_for_byte_and_nothing_else(bench: Bench) -> None:
    two(bench)
    bench.model.answer(messages(message("Add grün 日本", "It was needed.")))
    bench.folder = bench.repo.path.parent
    ran = bench.run("--print", str(bench.repo.path))
    assert ran.out == "Add grün 日本\n\nIt was needed.\n".encode()
    bench.folder = None
    assert bench.run("--yes").code == 0
    assert bench.repo.git("log", "-1", "--format=%B").encode() == ran.out
    assert bench.run("--print", "nowhere").code == 2


def test_several_subjects_one_a_line(bench: Bench) -> None:
    two(bench)
    bench.model.answer(messages(message("Add one"), message("Add two"), message("Add one.")))
    ran = bench.run("-n", "3", "--subjects")
    assert (ran.code, ran.out) == (0, b"Add one\nAdd two\n")
    assert "Write 3 different messages." in bench.model.texts[-1]


def test_json_tells_all_and_commits_only_with_yes(bench: Bench) -> None:
    two(bench)
    before = bench.repo.head
    told = bench.run("--json").json
    assert bench.repo.head == before
    assert told["subject"] == "Change what is staged"
    assert told["message"] == "Change what is staged\n"
    assert (told["provider"], told["model"], told["task"]) == ("mine", "m", "commit_messages")
    assert told["cost"] == {"usd": "0.00104", "tag": "exact"}
    assert told["files"] == [
        {"path": "b.py", "old_path": None, "status": "added", "added": 2, "removed": 0}
    ]
    assert (told["committed"], told["commit"], told["error"]) == (False, None, None)
    done = bench.run("--json", "--yes")
    assert done.json["commit"] == bench.repo.head != before
    assert b"[main" not in done.out
    failed = bench.run("--json")
    assert (failed.code, failed.json["error"]["kind"]) == (4, "nothing")
    assert bench.run("--json", "--bogus").json["error"]["kind"] == "usage"


def test_a_dry_run_shows_what_would_be_sent_and_sends_nothing(bench: Bench) -> None:
    two(bench)
    ran = bench.run("--dry-run")
    text = ran.out.decode()
    assert ran.code == 0
    assert "model     mine/m" in text
    assert "tokens    ~" in text
    assert "cost      about $" in text
    assert "+def parse_diff():" in text
    assert bench.model.bodies == []
    told = bench.run("--dry-run", "--json").json
    assert "+def parse_diff():" in told["payload"]["text"]
    assert (told["sent"], told["calls"], bench.model.bodies) == (False, 1, [])
    bench.run("--yes")
    assert bench.model.texts[-1] == told["payload"]["text"]


def test_amending_describes_the_whole_commit_and_keeps_its_trailers(bench: Bench) -> None:
    bench.repo.commit("Old words\n\nChange-Id: I12", one__py="one = 1\n")
    bench.repo.stage("two.py", "two = 2\n")
    parent = bench.repo.git("rev-parse", "HEAD^")
    assert bench.run("--amend", "--yes").code == 0
    assert "+one = 1" in bench.model.texts[-1]
    assert "+two = 2" in bench.model.texts[-1]
    assert "Old words" in bench.model.texts[-1]
    assert bench.repo.message == "Change what is staged\n\nChange-Id: I12"
    assert bench.repo.git("rev-parse", "HEAD^") == parent


def test_a_range_is_described_and_nothing_is_committed(bench: Bench) -> None:
    bench.repo.commit("Second", one__py="one = 1\n")
    before = bench.repo.head
    ran = bench.run("--range", "HEAD~1..HEAD")
    assert (ran.code, ran.out) == (0, b"Change what is staged\n")
    assert "+one = 1" in bench.model.texts[-1]
    assert bench.repo.head == before
    assert bench.run("--range", "nowhere..HEAD").code == 2
    assert bench.run("--range", "HEAD..HEAD").code == 4
    assert bench.run("--range", "HEAD~1..HEAD", "--yes").code == 2


def test_a_hint_is_sent_and_may_be_spoken_of(bench: Bench) -> None:
    two(bench)
    bench.model.answer(messages(message("Fix the crash of read_all() for QX-77")))
    assert bench.run("--yes", "--hint", "read_all() crashed, see QX-77").code == 0
    assert "The author says: read_all() crashed" in bench.model.texts[0]
    assert bench.repo.message == "Fix the crash of read_all() for QX-77"


def test_a_refused_message_is_kept_and_retried_without_a_model(bench: Bench) -> None:
    two(bench)
    assert bench.run("--retry", "--yes").code == 4
    hook = bench.repo.path / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert bench.run("--yes").code == 3
    kept = list((bench.home / ".local/share/aircher/commit").iterdir())
    assert [stat.S_IMODE(file.stat().st_mode) for file in kept] == [0o600]
    hook.unlink()
    other = new_repo(bench.repo.path.parent / "elsewhere")
    other.stage("x")
    bench.folder = other.path
    assert bench.run("--retry", "--yes").code == 4  # another repository's is not taken
    bench.folder = None
    bench.repo.stage("b.py", "mended = 1\n")
    ran = bench.run("--retry", "--yes")
    assert ran.code == 0
    assert "has changed since" in ran.err
    assert bench.repo.message == "Change what is staged"
    assert len(bench.model.bodies) == 1
    assert bench.run("--retry", "--yes").code == 4


def test_nobody_to_ask_is_said_before_anything_is_sent(bench: Bench) -> None:
    two(bench)
    ran = bench.run()
    assert ran.code == 2
    assert "--yes" in ran.err
    assert bench.model.bodies == []


@pytest.mark.parametrize(
    "words",
    [("--print", "--yes"), ("-n", "2", "--print"), ("-n", "2", "--yes"), ("-n", "0"), ("--dry-run", "--yes"),
     ("--range", "A..B", "--amend")],
)  # fmt: skip
def test_flags_that_do_not_go_together(bench: Bench, words: tuple[str, ...]) -> None:
    two(bench)
    ran = bench.run(*words)
    assert ran.code == 2
    assert ran.err.startswith("aircher: ")
    assert bench.model.bodies == []


# -- the dialogue


def test_enter_commits_what_is_shown(bench: Bench) -> None:
    two(bench)
    ran = bench.run(typed="\n")
    assert ran.code == 0
    assert bench.repo.message == "Change what is staged"
    assert "commit_messages  mine/m  $0.0010  1 file +2 -0" in ran.err
    assert b"[main" in ran.out


def test_stopping_commits_nothing_and_keeps_the_message(bench: Bench) -> None:
    two(bench)
    before = bench.repo.head
    for typed in ("q\n", ""):
        ran = bench.run(typed=typed)
        assert ran.code == 130
        assert "--retry" in ran.err
    assert bench.repo.head == before
    assert bench.run("--retry", typed="y\n").code == 0


def test_another_one_is_asked_for_with_the_seen_ones(bench: Bench) -> None:
    two(bench)
    bench.model.answer(*(messages(message(s)) for s in ("Add one", "Add two", "Add three")))
    assert bench.run(typed="r\nr\n\n").code == 0
    assert bench.repo.message == "Add three"
    assert "Add one\n\n---\nAdd two" in bench.model.texts[-1].replace(
        "Add one\n---", "Add one\n\n---"
    )


def test_a_change_in_words_is_sent_with_the_message(bench: Bench) -> None:
    two(bench)
    bench.model.answer(messages(message("Add one")), messages(message("Add it, shorter")))
    assert bench.run(typed="c make it shorter\nnonsense\ny\n").code == 0
    assert "The author wants it changed: make it shorter" in bench.model.texts[-1]
    assert bench.repo.message == "Add it, shorter"


def test_one_of_several_is_chosen_by_its_number(bench: Bench) -> None:
    two(bench)
    bench.model.answer(messages(message("Add one"), message("Add two"), message("Add three")))
    ran = bench.run("-n", "3", typed="2\n\n")
    assert ran.code == 0
    assert "> 2  Add two" in ran.err
    assert bench.repo.message == "Add two"


def test_the_message_is_edited_in_the_users_editor(bench: Bench) -> None:
    two(bench)
    bench.env["GIT_EDITOR"] = "sed -i 's/Change/Improve/'"
    assert bench.run(typed="e\n\n").code == 0
    assert bench.repo.message == "Improve what is staged"
    bench.repo.stage("c.py")
    bench.env["GIT_EDITOR"] = "truncate -s0"
    ran = bench.run(typed="e\nq\n")
    assert ran.code == 130
    assert "empty" in ran.err
    bench.env["GIT_EDITOR"] = "false"
    assert "ended with 1" in bench.run(typed="e\nq\n").err


def test_a_failed_second_try_leaves_the_first_message(bench: Bench) -> None:
    two(bench)
    bench.model.answer(messages(message("Add one")), said(""), said(""))
    ran = bench.run(typed="r\n\n")
    assert ran.code == 0
    assert "no commit message" in ran.err
    assert bench.repo.message == "Add one"


# -- without a model


def test_offline_asks_nobody_and_needs_nothing(bench: Bench) -> None:
    two(bench)
    ran = bench.run("--offline", "--yes")
    assert ran.code == 0
    assert "written by rules" in ran.err
    assert bench.model.bodies == []
    assert bench.repo.message == "Add b.py"


@pytest.mark.parametrize("order", ['["local"]', "[]"])
def test_a_tiny_model_or_none_is_not_asked(
    bench: Bench, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support.program import write_config

    write_config(bench.home, f"[providers]\nfallback_order = {order}\n")
    for name in ("_local_obstacle",):
        monkeypatch.setattr(f"aircher.bootstrap.compose.{name}", lambda config: "")
    two(bench)
    ran = bench.run("--yes")
    assert ran.code == 0, ran.err
    assert "written by rules" in ran.err
    if "local" in order:
        assert "too small to write commit messages" in ran.err
    assert bench.repo.message == "Add b.py"


# -- secrets


KEY = "ghp_" + "x7Kq9mZr2Lw5Tb8Vn3Jd6Hf1Gs4Pc0YaEuQi"


def test_a_secret_does_not_leave_in_any_part(bench: Bench) -> None:
    bench.repo.commit(f"Use {KEY}", old__py=f"key = '{KEY}'\nx = 1\n")
    bench.repo.stage("old.py", f"key = '{KEY}'\nx = 2\n")
    bench.repo.stage("new.py", f"key = '{KEY}'\n")
    bench.repo.git("checkout", "-qb", f"fix-{KEY}")
    ran = bench.run("--yes", "--hint", f"my key is {KEY}")
    assert ran.code == 0
    sent = str(bench.model.bodies)
    assert KEY not in sent
    assert "<REDACTED:" in sent
    assert "taken out before sending" in ran.err
    assert KEY not in ran.err


def test_a_whole_key_file_is_looked_through_before_it_is_cut(bench: Bench) -> None:
    body = "\n".join("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7" for _ in range(90))
    bench.repo.stage(
        "notes.py", f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\n"
    )
    bench.run("--yes")
    assert "MIIEvQIBADAN" not in str(bench.model.bodies)


def test_sensitive_and_ignored_files_are_named_but_not_shown(bench: Bench) -> None:
    bench.repo.stage(".env", "PLAIN=hello\n")
    bench.repo.stage(".aircherignore", "private/\n")
    bench.repo.stage("private/plan.py", "the plan\n")
    assert bench.run("--yes").code == 0
    text = bench.model.texts[-1]
    assert "PLAIN=hello" not in text
    assert "the plan" not in text
    assert "added .env: not shown, a sensitive file" in text
    assert "added private/plan.py: not shown, matches an ignore file" in text


def test_strict_mode_blocks_before_anything_is_sent(bench: Bench) -> None:
    bench.config("[guard]\nstrict = true\n")
    bench.repo.stage("new.py", f"key = '{KEY}'\n")
    before = bench.repo.head
    ran = bench.run("--yes")
    assert ran.code == 5
    assert bench.model.bodies == []
    assert bench.repo.head == before
    assert bench.run("--offline", "--yes").code == 0


# -- money and size


def test_a_budget_blocks(bench: Bench) -> None:
    bench.config("[costs]\nper_request_limit = 0.000001\n")
    two(bench)
    ran = bench.run("--yes")
    assert ran.code == 6
    assert bench.model.bodies == []


def test_only_above_a_limit_a_diff_is_summarised_in_parts_first(bench: Bench) -> None:
    for n in range(6):
        bench.repo.stage(f"f{n}.py", "".join(f"def f{n}_{i}(): return {i}\n" for i in range(200)))
    bench.config(summarise_above=4000, summarise_calls=2, max_diff_tokens=3000)
    bench.model.answer(
        said("- f0.py: adds functions"),
        said("- f5.py: adds more"),
        messages(message("Add functions")),
    )
    ran = bench.run("--yes")
    assert ran.code == 0, ran.err
    assert len(bench.model.bodies) == 3
    assert "summarises it in 2 parts" in ran.err
    assert "$" in ran.err
    assert "- f0.py: adds functions" in bench.model.texts[-1]
    assert "+def" not in bench.model.texts[-1]
    bench.repo.git("reset", "-q", "--soft", "HEAD^")
    bench.config(max_diff_tokens=3000)
    bench.run("--yes")
    assert len(bench.model.bodies) == 4  # one call by default


def test_the_diff_is_fitted_to_the_models_window(bench: Bench) -> None:
    bench.repo.stage("big.py", "".join(f"value_{n} = {n}\n" for n in range(3000)))
    bench.config()
    path = bench.home / ".config/aircher/config.toml"
    path.write_text(path.read_text().replace("64000", "3000"))
    ran = bench.run("--yes")
    assert ran.code == 0, ran.err
    assert len(bench.model.texts[-1]) < 3000 * 4
    assert "left out" in ran.err


# -- what a reply may name


def test_a_name_that_is_not_in_the_diff_is_repaired_once(bench: Bench) -> None:
    two(bench)
    bench.model.answer(
        messages(message("Add load_config()")), messages(message("Add parse_diff()"))
    )
    ran = bench.run("--yes")
    assert bench.repo.message == "Add parse_diff()"
    assert "'load_config()' does not occur in the diff" in bench.model.texts[-1]
    assert "asked again" in ran.err


def test_a_name_that_stays_wrong_is_taken_out(bench: Bench) -> None:
    two(bench)
    body = "It calls load_config() first. The rest is as before."
    bench.model.answer(messages(message("Add parsing in load_config()", body)))
    ran = bench.run("--yes")
    assert len(bench.model.bodies) == 2
    assert bench.repo.message == "Add parsing\n\nThe rest is as before."
    assert "taken out, since the diff does not hold it: load_config()" in ran.err


def test_the_repositorys_own_rules_are_kept(bench: Bench) -> None:
    bench.repo.commit(
        "Rules",
        __commitlintrc='{"extends": ["@commitlint/config-conventional"], "rules": {"scope-enum": [2, "always", ["core"]], "header-max-length": [2, "always", 40]}}',
    )
    two(bench)
    bench.model.answer(
        messages(
            message("Added a parser for the diffs that git writes.", type="Feature", scope="parser")
        )
    )
    assert bench.run("--yes").code == 0
    subject = bench.repo.message
    assert subject.startswith("chore: add a parser for the diffs")
    assert len(subject) <= 40


def test_the_ticket_of_the_branch_is_put_where_the_history_has_it(bench: Bench) -> None:
    for n in range(6):
        bench.repo.commit(f"ABC-{n}: Do thing {n}", f__py=f"{n}\n")
    bench.repo.git("checkout", "-qb", "feature/abc-42-utf-8-names")
    two(bench)
    assert bench.run("--yes").code == 0
    assert bench.repo.message == "ABC-42: Change what is staged"


def test_ctrl_c_while_the_model_answers(bench: Bench) -> None:
    import signal

    two(bench)
    before, index = bench.repo.head, bench.repo.index
    bench.model.answer(paced(30.0))
    bench.model.before = lambda: os.kill(os.getpid(), signal.SIGINT)
    ran = bench.run("--yes")
    assert ran.code == 130
    assert (bench.repo.head, bench.repo.index) == (before, index)


def test_conventional_commits_are_forced_on_or_off(bench: Bench) -> None:
    made = message("Add x", type="feat", scope="core")
    bench.model.answer(messages(made))
    two(bench)
    for value, wanted in (("always", "feat(core): add x"), ("never", "Add x"), ("auto", "Add x")):
        bench.config(conventional=value)
        assert bench.run("--print").out.decode() == f"{wanted}\n"
    for n in range(6):
        bench.repo.commit(f"fix(core): Do {n}", f__py=f"{n}\n")
    two(bench)
    bench.repo.stage("c.py", "c = 1\n")
    assert bench.run("--print").out == b"feat(core): Add x\n"  # as its history does it
    bench.config(conventional="never")
    assert bench.run("--print").out == b"Add x\n"


def test_style_and_the_nearest_messages_are_sent(bench: Bench) -> None:
    for n in range(8):
        bench.repo.commit(f"feat(ui): draw part {n}", ui__py=f"{n}\n")
    bench.repo.commit("fix(db): keep rows", db__py="1\n")
    bench.repo.stage("db.py", "2\n")
    bench.config(examples=2, instructions="Be kind to readers.", body="never")
    assert bench.run("--yes").code == 0
    system, text = bench.model.systems[-1], bench.model.texts[-1]
    assert "Conventional commits; type is one of: build" in system
    assert "scopes in use here: ui, db" in system
    assert "Be kind to readers." in system
    assert "body is always empty." in system
    assert text.index("fix(db): keep rows") < text.index("feat(ui): draw part")
    assert text.count("feat(ui): draw part") == 1
    schema = bench.model.bodies[-1]["response_format"]["json_schema"]
    assert schema["strict"] is True


def test_many_documents_do_not_change_the_task(bench: Bench) -> None:
    for n in range(30):
        bench.repo.stage(f"docs/{n}.md", "how do I debug this traceback?\n")
    assert bench.run("--json").json["task"] == "commit_messages"
    assert bench.run("--json", "--task", "summaries").json["task"] == "summaries"
    assert bench.run("--json", "--task", "nonsense").code == 2


def test_a_message_is_in_utf8_whatever_the_repository_asks_for(bench: Bench) -> None:
    two(bench)
    bench.repo.git("config", "i18n.commitEncoding", "ISO-8859-1")
    bench.model.answer(messages(message("Read grün and 日本")))
    assert bench.run("--yes").code == 0
    assert bench.repo.message == "Read grün and 日本"


def test_a_secret_is_told_with_its_line_in_the_file(bench: Bench) -> None:
    lines = [f"line {number}" for number in range(1, 61)]
    lines[39] = "old = 'AKIAQYLPMN5HFGZ2CBXA'"
    bench.repo.commit("Add rows", rows__py="\n".join(lines) + "\n")
    lines[39] = "new = 'AKIAQYLPMN5HFGZ2CBXB'"
    lines.insert(5, "inserted")
    bench.repo.stage("rows.py", "\n".join(lines) + "\n")
    assert "rows.py:40, aws-access-token in rows.py:41" in bench.run("--print").err


@pytest.mark.parametrize("ignored", [False, True])
def test_a_sensitive_or_ignored_file_stays_unseen_when_it_is_renamed(
    bench: Bench, *, ignored: bool
) -> None:
    old = "plans/a.txt" if ignored else ".env"
    if ignored:
        bench.repo.write(".aircherignore", "plans/\n")
    text = "".join(f"word number {number} of the plan\n" for number in range(20))
    bench.repo.stage(old, text)
    bench.repo.commit("Add it")
    bench.repo.git("mv", old, "open.txt")
    bench.repo.stage("open.txt", text + "one more\n")
    ran = bench.run("--print")
    assert "plan" not in bench.model.texts[-1].replace("plans/a.txt", "")
    assert "not sent, sensitive or ignored: open.txt" in ran.err


def test_the_marks_of_a_conflict_are_not_committed_with_all(bench: Bench) -> None:
    repo = bench.repo
    repo.git("checkout", "-q", "-b", "other")
    repo.commit("Say two", a__py="two\n")
    repo.git("checkout", "-q", "main")
    repo.commit("Say three", a__py="three\n")
    repo.git("merge", "-q", "other", fine=(1,))
    before = repo.head, repo.index
    ran = bench.run("--all", "--yes")
    assert (ran.code, (repo.head, repo.index)) == (3, before)
    assert "a.py still has a conflict" in ran.err
    repo.write("a.py", "two and three\n")
    assert bench.run("--all", "--yes").code == 0
    assert repo.message == "Merge branch 'other'"


def test_a_subject_that_is_no_imperative_is_asked_for_again_once(bench: Bench) -> None:
    two(bench)
    bench.model.answer(messages(message("Reader of diffs")), messages(message("Read diffs")))
    ran = bench.run("--print")
    assert (ran.out, len(bench.model.bodies)) == (b"Read diffs\n", 2)
    assert "the subject does not begin with a verb" in bench.model.texts[-1]
    bench.model.answer(messages(message("Frobnicate diffs")))
    assert (bench.run("--print").out, len(bench.model.bodies)) == (b"Frobnicate diffs\n", 3)
    bench.model.answer(messages(message("Fixes for the parser")))
    ran = bench.run("--print")
    assert (ran.code, len(bench.model.bodies)) == (0, 5)
    assert "imperative, though asked for" in ran.err


def test_a_message_in_another_language_is_asked_for_again_once(bench: Bench) -> None:
    for number in range(5):
        bench.repo.commit(f"Add row {number} to the table of names")
    two(bench)
    german = messages(message("Füge Leser hinzu", "Weil er für den Test gebraucht wird."))
    for foreign in (german, messages(message("添加行读取器"))):
        bench.model.answer(foreign, messages(message("Add a reader of diffs")))
        assert bench.run("--print").out == b"Add a reader of diffs\n"
    assert "it is not in English" in bench.model.texts[-1]
    bench.config(language="de")
    bench.model.answer(german)
    before = len(bench.model.bodies)
    assert bench.run("--print").out.startswith("Füge Leser hinzu".encode())
    assert len(bench.model.bodies) == before + 1


def test_ignore_files_hold_in_a_work_tree_that_is_named_by_a_variable(bench: Bench) -> None:
    repo = bench.repo
    repo.write(".aircherignore", "plans/\n")
    repo.stage("plans/a.txt", "the whole plan\n")
    bench.env = {
        "GIT_DIR": str(repo.path / ".git"),
        "GIT_WORK_TREE": str(repo.path),
    }
    bench.folder = bench.home
    ran = bench.run("--print")
    assert "not sent, sensitive or ignored: plans/a.txt" in ran.err
    assert "the whole plan" not in bench.model.texts[-1]


FAR = "Take each token off the list before it is parsed so that the loop over all of the tokens ends at last"


def test_a_subject_that_is_far_too_long_is_asked_for_again(bench: Bench) -> None:
    bench.repo.stage("b.py", "x = 1\n")
    bench.model.answer(messages(message(FAR)), messages(message("Take each token off first")))
    ran = bench.run("--yes")
    assert ran.code == 0, ran.err
    assert bench.repo.message == "Take each token off first"
    assert f"asked again: the subject has {len(FAR)} characters, at most 72 are allowed" in ran.err
    assert len(bench.model.bodies) == 2
    assert "at most 72 are allowed" in bench.model.texts[-1]


def test_one_that_stays_too_long_is_cut_between_words_and_it_is_said(bench: Bench) -> None:
    bench.repo.stage("b.py", "x = 1\n")
    bench.model.answer(messages(message(FAR)))
    ran = bench.run("--yes", "--json")
    assert ran.code == 0, ran.err
    assert bench.repo.message.startswith("Take each token off the list")
    assert len(bench.repo.message) <= 72
    assert FAR.startswith(bench.repo.message + " ")
    assert len(bench.model.bodies) == 2  # once more, and no more than that
    assert f"the subject was cut, from {len(FAR)} to at most 72 characters" in ran.err
    assert ran.json["cost"]["usd"] == "0.00208"  # both answers are paid


def test_a_word_too_many_is_cut_without_another_call_and_it_is_said(bench: Bench) -> None:
    bench.repo.stage("b.py", "x = 1\n")
    bench.model.answer(
        messages(message("Take each token off the list before it is parsed, or the loop goes on"))
    )
    assert bench.run("--yes").code == 0
    bench.repo.stage("c.py", "y = 1\n")
    long = "Take each token off the list before it is parsed, or else the loop goes on"
    bench.model.answer(messages(message(long)))
    ran = bench.run("--yes")
    assert len(bench.model.bodies) == 2
    assert f"the subject was cut, from {len(long)} to at most 72" in ran.err


def test_a_message_by_rules_says_why_where_the_change_does(bench: Bench) -> None:
    bench.repo.git("checkout", "-qb", "fix/ABC-12-parser-loop")
    bench.repo.stage("b.py", "# Kept, since the old name is still asked for.\nx = 1\n")
    assert bench.run("--yes", "--offline").code == 0
    assert bench.repo.message == (
        "Add b.py\n\nBy a comment in b.py: Kept, since the old name is still asked for.\n\n"
        "By the branch's name: parser loop (ABC-12).\n\nRefs: ABC-12"
    )
