"""Choosing one of the method runs that go by one name: by S, by options, or by the digest of the predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from mrbench.configuration import as_text, flat
from mrbench.errors import UnknownNameError, UsageError
from mrbench.results.method_run import MethodRun

SHORTEST = 8
"""Digits of a digest that are shown at least."""


@dataclass(frozen=True)
class Choice:
    """What is asked of a method run besides its name; blank: nothing.

    Attributes:
        samples: S of its sample set.
        digest: of its predictions, or how that begins.
        options: values by dotted name, as Python has them or as a command line does.
    """

    name: str
    samples: int | None
    digest: str
    options: Mapping[str, Any]

    def among(self, runs: Sequence[MethodRun]) -> MethodRun:
        """The one that is asked for, of those that go by the name, at least one.

        Raises:
            UnknownNameError: an option that none of them has.
            UsageError: several or none are as it was asked; lists them with what tells them apart.
        """
        known = dict.fromkeys(option for run in runs for option in flat(run.options))
        for option in self.options:
            if option not in known:
                raise UnknownNameError("option", option, ["samples", "digest", *known], where=f"of {self.name!r}")
        chosen = [run for run in runs if self._is(run)]
        if len(chosen) != 1:
            asked = self.samples is not None or self.digest or self.options
            raise UsageError(
                f"{len(chosen)} method runs are called {self.name!r}" + " with these options" * bool(asked),
                found="; ".join(told_apart(chosen or runs)),
                hint=_way_to_one(self.name, chosen or runs),
            )
        return chosen[0]

    def _is(self, run: MethodRun) -> bool:
        own = flat(run.options)
        return (
            (self.samples is None or run.samples == self.samples)
            and run.digest.startswith(self.digest)
            and all(name in own and _same(own[name], value) for name, value in self.options.items())
        )


def _same(own: Any, asked: Any) -> bool:
    return bool(as_text(own) == as_text(asked) or str(own) == str(asked))


def told_apart(runs: Sequence[MethodRun]) -> list[str]:
    """A line per method run: where it comes from, its caveats, its S, the facts that not all share, and its digest."""
    facts = [_facts(run) for run in runs]
    differing = [name for name in facts[0] if len({own[name] for own in facts}) > 1]
    digits = _digits(runs)
    return [
        f"{run.origin}: "
        + ", ".join([
            ", ".join(run.caveats) or "no caveats",
            *([] if run.samples is None else [f"S {run.samples}"]),
            *(f"{name} {own[name]}" for name in differing),
            f"digest {run.digest[:digits]}",
        ])
        for run, own in zip(runs, facts, strict=True)
    ]  # fmt: skip


def _facts(run: MethodRun) -> dict[str, str]:
    spec = run.spec
    return {
        "version": spec.method_version,
        "data": spec.tested.data_digest[:SHORTEST],
        "split": f"{spec.tested.split} {spec.tested.split_digest[:SHORTEST]}",
        "limit": "none" if spec.limit is None else str(spec.limit),
        "conditions": " ".join(spec.conditions.command_line) or "as usual",
    }


def _digits(runs: Sequence[MethodRun]) -> int:
    """So many digits of the digests tell apart what their whole length does."""
    whole = len({run.digest for run in runs})
    return next(n for n in count(SHORTEST) if len({run.digest[:n] for run in runs}) == whole)


def _way_to_one(name: str, runs: Sequence[MethodRun]) -> str:
    once = [run for run in runs if sum(other.digest == run.digest for other in runs) == 1]
    if once:
        return f"results.method({name!r}, digest={once[0].digest[: _digits(runs)]!r}), or samples=S, or OPTION=VALUE"
    return f"next(run for run in results.runs if run.id == {runs[0].id!r})"
