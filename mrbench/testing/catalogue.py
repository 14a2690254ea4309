"""All checks, in the order in which they run."""

from collections.abc import Iterable, Mapping
from itertools import chain

from mrbench.errors import UnknownNameError
from mrbench.testing import answers, card, datasets, latents, learning, metrics, redraws, repeating, surroundings
from mrbench.testing.candidate import Candidate
from mrbench.testing.check import Check, rules_of

GROUPS: Mapping[str, tuple[Check, ...]] = {
    "What the card says": rules_of(card),
    "Learning": rules_of(learning),
    "Answers": rules_of(answers),
    "Latents": rules_of(latents),
    "Repeating": rules_of(repeating),
    "Leaving everything else alone": rules_of(surroundings),
    "Data": rules_of(datasets) + rules_of(redraws),
    "Scores": rules_of(metrics),
}
"""Checks by what they are about."""


def all_checks() -> tuple[Check, ...]:
    """Every check of every kind."""
    return tuple(chain.from_iterable(GROUPS.values()))


def checks_of(candidate: Candidate, only: Iterable[str] = ()) -> list[Check]:
    """The checks for plugins of the candidate's kind; ``only`` restricts them by name.

    Raises:
        UnknownNameError: a name in ``only`` that no check of this kind has.
    """
    own = {check.name: check for check in all_checks() if candidate.kind in check.kinds}
    check_names(only, own, f"for kind {candidate.kind!r}")
    return [check for name, check in own.items() if not only or name in set(only)]


def check_names(names: Iterable[str], known: Iterable[str], where: str = "") -> None:
    """Refuses names of checks that are not among those known.

    Args:
        where: among what, for the message.

    Raises:
        UnknownNameError: names the nearest.
    """
    known = list(known)
    for name in names:
        if name not in known:
            raise UnknownNameError("check", name, known, where=where, hint="mrbench check --list")
