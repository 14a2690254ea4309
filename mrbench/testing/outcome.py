"""What became of a check."""

import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mrbench.bounded import said
from mrbench.errors import MrbenchError, NotApplicableError
from mrbench.testing.candidate import Candidate
from mrbench.testing.check import Check


class Verdict(StrEnum):
    """Of one check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"
    EXPECTED_FAILURE = "expected failure"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one check.

    Attributes:
        what: of a failure, one sentence; else the reason, or empty.
        expected, found: of a failure, where they say more.
        hint: what to do next, where that is known.
        seconds: wall time.
    """

    check: Check
    verdict: Verdict
    what: str = ""
    expected: str = ""
    found: str = ""
    hint: str = ""
    seconds: float = 0.0


def run_check(check: Check, candidate: Candidate) -> Outcome:
    """Runs one check; whatever the plugin does wrong is its outcome."""
    start = time.perf_counter()
    verdict, facts = _verdict(check, candidate)
    return Outcome(check=check, verdict=verdict, **facts, seconds=time.perf_counter() - start)


def run_checks(
    checks: Sequence[Check], candidate: Candidate, expected_failures: Mapping[str, str]
) -> Iterator[Outcome]:
    """Runs checks one after another; ``expected_failures`` are reasons by name of check."""
    for check in checks:
        outcome = run_check(check, candidate)
        yield _as_expected(outcome, expected_failures[check.name]) if check.name in expected_failures else outcome


def _verdict(check: Check, candidate: Candidate) -> tuple[Verdict, dict[str, str]]:
    reason = check.unfit(candidate)
    if reason:
        return Verdict.NOT_APPLICABLE, {"what": reason}
    try:
        check.function(candidate)
    except NotApplicableError as error:
        return Verdict.NOT_APPLICABLE, {"what": error.what, "hint": error.hint}
    except (Exception, SystemExit) as error:
        return Verdict.FAILED, _facts(error)
    return Verdict.PASSED, {}


def _facts(error: BaseException) -> dict[str, str]:
    if isinstance(error, MrbenchError):
        return {"what": error.what, "expected": error.expected, "found": error.found, "hint": error.hint}
    return {"what": f"{type(error).__name__}: {said(error)}", "found": _where(error)}


def _where(error: BaseException) -> str:
    # The last line of somebody else's code, which is where its author looks first.
    frames = traceback.extract_tb(error.__traceback__)
    own = Path(__file__).parent
    outside = [frame for frame in frames if Path(frame.filename).parent != own]
    return "" if not outside else f"{Path(outside[-1].filename).name}:{outside[-1].lineno}: {outside[-1].line}"


def _as_expected(outcome: Outcome, reason: str) -> Outcome:
    facts = {"check": outcome.check, "seconds": outcome.seconds}
    if outcome.verdict is Verdict.FAILED:
        return Outcome(**facts, verdict=Verdict.EXPECTED_FAILURE, what=reason)  # type: ignore[arg-type]
    if outcome.verdict is Verdict.PASSED:
        what = "passes, though its failure is expected"
        return Outcome(**facts, verdict=Verdict.FAILED, what=what, expected=f"a failure: {reason}")  # type: ignore[arg-type]
    return outcome
