"""One check: a rule, whom it applies to, and a function that raises where the rule is broken."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from mrbench.cards import Capability
from mrbench.errors import MrbenchError

if TYPE_CHECKING:
    from mrbench.testing.candidate import Candidate

CheckedKind = Literal["method", "fusion", "dataset", "metric"]
KINDS: tuple[CheckedKind, ...] = get_args(CheckedKind)


class CheckFailedError(MrbenchError):
    """A plugin breaks a rule: what, what was expected and what was found."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check.

    Attributes:
        name: lower-case words joined by hyphens.
        rule: what must hold, one sentence.
        kinds: of plugins that it applies to.
        needs: capabilities without which it does not apply.
        without: capabilities with which it does not apply.
        function: takes the candidate and returns where the rule holds; raises :class:`CheckFailedError` where it does
            not, :class:`mrbench.errors.NotApplicableError` where that cannot be told. Whatever else it raises is a
            failure too.
    """

    name: str
    rule: str
    kinds: frozenset[CheckedKind]
    needs: frozenset[Capability] = frozenset()
    without: frozenset[Capability] = frozenset()
    function: Callable[[Any], None]

    def unfit(self, candidate: "Candidate") -> str:
        """Why the check does not apply to a plugin by what it declares; empty where it does."""
        declared = candidate.capabilities
        missing, barring = sorted(self.needs - declared), sorted(self.without & declared)
        if missing:
            return f"does not declare {', '.join(missing)}"
        return f"declares {', '.join(barring)}" if barring else ""


def rule(
    *kinds: CheckedKind, needs: Iterable[Capability] = (), without: Iterable[Capability] = ()
) -> Callable[[Callable[[Any], None]], Check]:
    """Makes a check of a function: its name gives the check's, the first line of its docstring the rule."""

    def make(function: Callable[[Any], None]) -> Check:
        return Check(
            name=function.__name__.replace("_", "-"),
            rule=(function.__doc__ or "").partition("\n")[0],
            kinds=frozenset(kinds),
            needs=frozenset(needs),
            without=frozenset(without),
            function=function,
        )

    return make
