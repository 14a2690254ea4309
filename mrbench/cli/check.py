"""``mrbench check``."""

import json
import shutil
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from mrbench.cli.options import DATA, PLUGIN_FILES
from mrbench.cli.plugins import registry
from mrbench.errors import UsageError
from mrbench.testing.candidate import Candidate, find_candidate
from mrbench.testing.catalogue import GROUPS, all_checks, check_names, checks_of
from mrbench.testing.check import KINDS, Check, Outcome, Verdict, run_check

COLOURS = {Verdict.PASSED: "green", Verdict.FAILED: "red", Verdict.EXPECTED_FAILURE: "yellow"}
INDENT = 18


@click.command("check")
@click.argument("name", required=False)
@click.option("--kind", type=click.Choice(KINDS), help="What NAME is, where several kinds share the name.")
@click.option("--check", "only", multiple=True, metavar="CHECK", help="Run this check alone; repeat for several.")
@click.option(
    "--expected-failure",
    "expected",
    multiple=True,
    metavar="CHECK=REASON",
    help="A check that is known to fail, and why; that it passes is a failure then. Repeat for several.",
)
@PLUGIN_FILES
@DATA
@click.option("--list", "listing", is_flag=True, help="List the checks (those for NAME, if given) and run none.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    name: str | None,
    kind: Any,
    only: tuple[str, ...],
    expected: tuple[str, ...],
    plugin_files: tuple[Path, ...],
    data: Path | None,
    listing: bool,
    as_json: bool,
) -> None:
    """Check a method, fusion, data set or metric on small synthetic data: what every plugin must do.

    Methods and fusions are checked with the settings of their preset "quick". Exit code 1: a check failed.
    """
    if name is None and not listing:
        raise UsageError("no plugin to check", expected="mrbench check NAME", hint="mrbench list")
    reasons = dict(map(_reason, expected))
    if name is None:
        _list(_listed({kind} if kind else set(KINDS), only), as_json)
        return
    candidate = find_candidate(registry(plugin_files), name, kind=kind, plugin_files=plugin_files, data=data)
    if listing:
        _list(_listed({candidate.kind}, only), as_json)
        return
    check_names(reasons, [check.name for check in checks_of(candidate)], f"for kind {candidate.kind!r}")
    checks = checks_of(candidate, only)
    outcomes = _quietly(run_check(check, candidate, reasons.get(check.name, "")) for check in checks)
    failed = _print_json(candidate, outcomes) if as_json else _print(candidate, outcomes)
    sys.exit(1 if failed else 0)


def _reason(text: str) -> tuple[str, str]:
    name, equals, reason = text.partition("=")
    if not equals or not reason.strip():
        raise UsageError("an expected failure needs a reason", expected="CHECK=REASON", found=repr(text))
    return name, reason.strip()


def _quietly(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    # What a plugin prints does not get between the lines, nor into the JSON.
    while True:
        with redirect_stdout(sys.stderr):
            outcome = next(outcomes, None)
        if outcome is None:
            return
        yield outcome


def _print(candidate: Candidate, outcomes: Iterator[Outcome]) -> bool:
    start, verdicts = time.perf_counter(), Counter[Verdict]()
    click.echo(_title(candidate))
    for outcome in outcomes:
        verdicts[outcome.verdict] += 1
        _print_outcome(outcome)
    counts = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in Verdict if verdicts[verdict])
    click.echo(f"{counts} ({time.perf_counter() - start:.1f} s)")
    return verdicts[Verdict.FAILED] > 0


def _title(candidate: Candidate) -> str:
    preset = f", preset {candidate.preset}" if candidate.preset else ""
    kind = "data set" if candidate.kind == "dataset" else candidate.kind
    return f"{kind} {candidate.plugin.qualified}{preset}"


def _print_outcome(outcome: Outcome) -> None:
    verdict = click.style(f"{outcome.verdict:{INDENT}}", fg=COLOURS.get(outcome.verdict))
    click.echo(verdict + outcome.check.name)
    for line in _lines(outcome):
        click.echo(textwrap.indent(line, " " * INDENT))


def _lines(outcome: Outcome) -> Iterator[str]:
    facts = [outcome.what]
    if outcome.verdict is Verdict.FAILED:
        facts = [f"rule:     {outcome.check.rule}", f"failed:   {outcome.what}"]
        facts += [f"expected: {outcome.expected}"] if outcome.expected else []
        facts += [f"found:    {outcome.found}"] if outcome.found else []
    facts += [f"next:     {outcome.hint}"] if outcome.hint else []
    width = max(30, min(120, shutil.get_terminal_size().columns) - INDENT)
    for fact in facts:
        deeper = " " * 10 if fact[8:10] in ("  ", ": ") else ""
        yield from textwrap.wrap(fact, width, subsequent_indent=deeper)


def _print_json(candidate: Candidate, outcomes: Iterator[Outcome]) -> bool:
    checks = [_facts(outcome) for outcome in outcomes]
    facts = {"plugin": candidate.plugin.qualified, "kind": candidate.kind, "preset": candidate.preset, "checks": checks}
    click.echo(json.dumps(facts, indent=1))
    return any(check["verdict"] == Verdict.FAILED for check in checks)


def _facts(outcome: Outcome) -> dict[str, Any]:
    named = ("what", "expected", "found", "hint")
    said = {name: getattr(outcome, name) for name in named if getattr(outcome, name)}
    check = outcome.check
    return {"check": check.name, "rule": check.rule, "verdict": outcome.verdict, **said, "seconds": outcome.seconds}


def _listed(kinds: set[str], only: Sequence[str]) -> dict[str, list[Check]]:
    known = {check.name for check in all_checks() if check.kinds & kinds}
    check_names(only, known)
    wanted = set(only) or known
    return {
        title: [check for check in checks if check.kinds & kinds and check.name in wanted]
        for title, checks in GROUPS.items()
    }


def _list(groups: dict[str, list[Check]], as_json: bool) -> None:
    if as_json:
        facts = [
            {"check": check.name, "rule": check.rule, "kinds": sorted(check.kinds), "group": title}
            for title, checks in groups.items()
            for check in checks
        ]
        click.echo(json.dumps(facts, indent=1))
        return
    formatter = click.HelpFormatter(max_width=100)
    for title, checks in groups.items():
        if checks:
            with formatter.section(title):
                formatter.write_dl([(check.name, _about(check)) for check in checks])
    click.echo(formatter.getvalue().rstrip())


def _about(check: Check) -> str:
    return f"{check.rule} [{', '.join(sorted(check.kinds))}]"
