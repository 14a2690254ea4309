"""One check: a rule, whom it applies to, and a function that raises where the rule is broken; and what became of it."""

import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from mrbench.bounded import said
from mrbench.cards import Capability
from mrbench.errors import MrbenchError, NotApplicableError
from mrbench.places import of_error

if TYPE_CHECKING:
    from mrbench.testing.candidate import Candidate

CheckedKind = Literal["method", "fusion", "dataset", "metric"]
KINDS: tuple[CheckedKind, ...] = get_args(CheckedKind)


class CheckFailedError(MrbenchError):
    """A plugin breaks a rule: what, what was expected and what was found."""


def expect_none(found: Sequence[str], what: str, expected: str) -> None:
    """Refuses what should be empty.

    Raises:
        CheckFailedError: ``what``, and the first three.
    """
    if found:
        raise CheckFailedError(what, expected=expected, found=", ".join(found[:3]))


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check.

    Attributes:
        name: lower-case words joined by hyphens.
        rule: what must hold, one sentence.
        kinds: of plugins that it applies to.
        needs: capabilities without which it does not apply.
        function: takes the candidate and returns where the rule holds; raises :class:`CheckFailedError` where it does
            not, :class:`mrbench.errors.NotApplicableError` where that cannot be told. Whatever else it raises is a
            failure too.
    """

    name: str
    rule: str
    kinds: frozenset[CheckedKind]
    needs: frozenset[Capability] = frozenset()
    function: Callable[[Any], None]

    def run(self, candidate: "Candidate") -> None:
        """Raises what the function raises, or NotApplicableError where the plugin does not declare what is needed."""
        missing = sorted(self.needs - candidate.capabilities)
        if missing:
            raise NotApplicableError(f"does not declare {', '.join(missing)}")
        with _one_thread(candidate.kind == "method"):
            self.function(candidate)


@contextmanager
def _one_thread(of_torch: bool) -> Iterator[None]:
    # The networks are too small for more, and the same sums come out every time.
    if not of_torch:
        yield
        return
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


_collected: defaultdict[str, list[Check]] = defaultdict(list)


def rule(
    *kinds: CheckedKind, needs: Iterable[Capability] = (), over: Iterable[Any] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes a check of a function: its name gives the check's, the first line of its docstring the rule.

    Args:
        kinds, needs: of the check.
        over: scenes or shapes, which the function takes as well: a check for each, with its ``{what}`` in the rule.
    """

    def make(function: Callable[..., None]) -> Callable[..., None]:
        name, text = function.__name__.replace("_", "-"), (function.__doc__ or "").partition("\n")[0]
        checks = _collected[function.__module__]
        for one in over:
            checks.append(
                Check(
                    name=f"{name}-{one.name}",
                    rule=text.format(what=one.what),
                    kinds=frozenset(kinds) & frozenset(getattr(one, "kinds", kinds)),
                    needs=frozenset(needs) | getattr(one, "needs", frozenset()),
                    function=lambda candidate, one=one: function(candidate, one),  # type: ignore[misc]
                )
            )
        if not over:
            checks.append(
                Check(name=name, rule=text, kinds=frozenset(kinds), needs=frozenset(needs), function=function)
            )
        return function

    return make


def rules_of(module: Any) -> tuple[Check, ...]:
    """The checks of a module, in the order in which they stand there."""
    return tuple(_collected[module.__name__])


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


def run_check(check: Check, candidate: "Candidate", expected_failure: str = "") -> Outcome:
    """Runs one check; whatever the plugin does wrong is its outcome.

    Args:
        expected_failure: the reason, where it is known to fail.
    """
    start = time.perf_counter()
    verdict, facts = _verdict(check, candidate)
    if expected_failure and verdict is Verdict.FAILED:
        verdict, facts = Verdict.EXPECTED_FAILURE, {"what": expected_failure}
    elif expected_failure and verdict is Verdict.PASSED:
        facts = {"what": "passes, though its failure is expected", "expected": f"a failure: {expected_failure}"}
        verdict = Verdict.FAILED
    return Outcome(check=check, verdict=verdict, **facts, seconds=time.perf_counter() - start)


def _verdict(check: Check, candidate: "Candidate") -> tuple[Verdict, dict[str, str]]:
    try:
        check.run(candidate)
    except NotApplicableError as error:
        return Verdict.NOT_APPLICABLE, {"what": error.what, "hint": error.hint}
    except MrbenchError as error:
        facts = {name: getattr(error, name) for name in ("what", "expected", "found", "hint")}
        place = error.place or of_error(error, candidate.plugin.modules)
        return Verdict.FAILED, facts | {"what": facts["what"] + (f" ({place})" if place else "")}
    except (Exception, SystemExit) as error:
        found = of_error(error, candidate.plugin.modules) or _where(error)
        return Verdict.FAILED, {"what": f"{type(error).__name__}: {said(error)}", "found": found}
    return Verdict.PASSED, {}


def _where(error: BaseException) -> str:
    # The last line of somebody else's code, where the plugin's own is not among them.
    frames = traceback.extract_tb(error.__traceback__)
    outside = [frame for frame in frames if Path(frame.filename).parent != Path(__file__).parent]
    return "" if not outside else f"{Path(outside[-1].filename).name}:{outside[-1].lineno}: {outside[-1].line}"
