"""``mrbench check`` as a user calls it."""

import json
import re
from pathlib import Path


def test_a_line_per_check_and_exit_code_0(bad, mrbench):
    result = mrbench("check", "mrbench-bad:overlap")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "metric mrbench-bad:overlap"
    assert "passed            direction" in lines
    assert lines[-1].startswith("24 passed (")


def test_a_failure_says_the_rule_what_was_expected_and_found(bad, mrbench):
    result = mrbench("check", "mrbench-bad:backwards", "--check", "direction")
    assert result.exit_code == 1
    lines = [line.strip() for line in result.stdout.splitlines()[1:-1]]
    assert lines[:5] == [
        "failed            direction",
        "rule:     Predictions that are the raters' own masks are better than marks in a corner, by the",
        "direction it declares.",
        "failed:   bad predictions are no worse than perfect ones, 2 classes, strict",
        "expected: higher is better",
    ]
    assert re.fullmatch(r"found:    perfect 0\.\d+, bad 1", lines[5])


def test_expected_failures_are_told_and_must_fail(bad, mrbench):
    words = ("check", "mrbench-bad:backwards", "--check", "direction", "--check", "tables-kept")
    result = mrbench(*words, "--expected-failure", "direction=turned round next week")
    assert result.exit_code == 0
    assert "expected failure  direction\n                  turned round next week\n" in result.stdout
    assert "1 passed, 1 expected failure (" in result.stdout
    result = mrbench(*words, "--expected-failure", "tables-kept=it once did")
    assert result.exit_code == 1
    assert "failed:   passes, though its failure is expected" in result.stdout
    result = mrbench(*words, "--expected-failure", "direction")
    assert result.exit_code == 2
    assert "an expected failure needs a reason\n  expected: CHECK=REASON\n  found:    'direction'" in result.stderr


def test_a_data_set_that_is_not_there_is_not_applicable_and_says_how_to_get_it(bad, mrbench):
    result = mrbench("check", "mrbench-bad:absent", "--check", "cases")
    assert result.exit_code == 0
    assert "not applicable    cases\n                  not prepared: data set 'absent' is not there\n" in result.stdout
    assert "next:     ask for it" in result.stdout


def test_a_name_of_several_kinds_needs_a_kind(bad, mrbench):
    result = mrbench("check", "mrbench-bad:writes")
    assert result.exit_code == 2
    assert "say --kind method or --kind dataset or --kind metric" in result.stderr
    result = mrbench("check", "mrbench-bad:writes", "--kind", "metric", "--check", "tables-kept")
    assert result.exit_code == 1
    assert "found:    soft" in result.stdout


def test_what_a_plugin_prints_stays_out_of_the_json(bad, mrbench, monkeypatch):
    result = mrbench("check", "mrbench-bad:never", "--check", "scores-something", "--check", "loads", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["plugin"], found["kind"]) == ("mrbench-bad:never", "metric")
    assert [(check["check"], check["verdict"]) for check in found["checks"]] == [
        ("loads", "passed"),
        ("scores-something", "failed"),
    ]
    assert found["checks"][1]["expected"] == "a value"


def test_the_list_names_the_checks_of_a_plugin_or_of_a_kind(bad, mrbench):
    everything = mrbench("check", "--list").stdout
    assert "draws-volumes" in everything
    assert "scores-volume" in everything
    metric = mrbench("check", "mrbench-bad:overlap", "--list").stdout
    assert metric == mrbench("check", "--list", "--kind", "metric").stdout
    assert "draws-volumes" not in metric
    facts = json.loads(mrbench("check", "--list", "--json").stdout)
    assert len({fact["check"] for fact in facts}) == len(facts)


def test_wrong_names_are_usage_errors(bad, mrbench):
    for words, message in (
        (("check",), "no plugin to check\n  expected: mrbench check NAME\n  next:     mrbench list"),
        (("check", "mrbench-bad:overlp"), "unknown plugin 'mrbench-bad:overlp'"),
        (("check", "overlap", "--check", "direktion"), "unknown check 'direktion' for kind 'metric'"),
        (
            ("check", "--list", "--check", "direktion"),
            "unknown check 'direktion'\n  next:     did you mean 'direction' or",
        ),
        (("check", "overlap", "--kind", "dataset"), "unknown data set 'overlap'"),
    ):
        result = mrbench(*words)
        assert result.exit_code == 2
        assert message in result.stderr


def test_a_narrow_terminal_cuts_nothing_off(bad, mrbench, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    result = mrbench("check", "mrbench-bad:backwards")
    assert max(map(len, result.stdout.splitlines())) <= 60
    assert "turned" not in result.stdout


def test_a_plugin_in_one_file_is_checked(mrbench, tmp_path: Path):
    source = (Path(__file__).parent / "toys" / "one_file.txt").read_text()
    (tmp_path / "one_file_metric.py").write_text(source)
    result = mrbench("check", "one-file", "--plugin-file", "one_file_metric.py")
    assert result.exit_code == 0, result.output
    assert "not applicable    light-import\n" in result.stdout
