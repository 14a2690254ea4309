"""Verifying: what an entry says is computed again from the cases that are packed with it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean

from mrbench.cards import Capability
from mrbench.errors import MrbenchError
from mrbench.leaderboard.add import same_results
from mrbench.leaderboard.entry import Entry, Score
from mrbench.leaderboard.pack import metric_facts
from mrbench.leaderboard.scores import Definitions, digest_of_cases, scores_of
from mrbench.leaderboard.source import cases_file, checked_file, packed_scores
from mrbench.leaderboard.store import SetAside, Stored, entries
from mrbench.metrics.protocol import PROTOCOLS
from mrbench.plugin_file import file_of
from mrbench.registry import Registry
from mrbench.report.curves import read_curves
from mrbench.visible import visible

TOLERANCE = 1e-9
"""Of numbers computed again, absolute and relative: sums in another order differ by less."""


@dataclass(frozen=True)
class Fault:
    """Something that is wrong with an entry.

    Attributes:
        path: of the entry below ``records``.
        field: of the entry, or the file, where it is.
    """

    path: str
    field: str
    expected: str = ""
    found: str = ""


@dataclass(frozen=True)
class Verified:
    """One folder.

    Attributes:
        recomputed: numbers that were computed again.
        unchecked: metrics that are defined otherwise here, or not installed, so that nobody can say.
    """

    path: str
    faults: tuple[Fault, ...]
    recomputed: int = 0
    unchecked: tuple[str, ...] = ()


class Verifier:
    """Verifies one folder after the other, each alone and against those before it."""

    def __init__(self, registry: Registry) -> None:
        self.known = {name: Definitions.of(registry, protocol) for name, protocol in PROTOCOLS.items()}
        self.methods = {plugin.key: plugin for plugin in registry.plugins["method"]}
        self.metrics = {plugin.key: metric_facts(plugin.card) for plugin in registry.plugins["metric"]}
        self.seen: dict[str, str] = {}

    def board(self, board: Path) -> Iterator[Verified]:
        """Every entry below ``records``."""
        for found in entries(board):
            if isinstance(found, SetAside):
                yield Verified(found.path, (Fault(found.path, "entry", found=found.fault),))
            else:
                yield self.entry(found)

    def entry(self, stored: Stored) -> Verified:
        """One entry."""
        check = _Check("/".join(stored.folder.parts[-3:]))
        self._check_duplicate(stored.entry, check)
        self._check_claims(stored.entry, check)
        _check_cells(stored.entry, check)
        _check_files(stored, check)
        for protocol, scores in stored.entry.scores.items():
            if protocol not in self.known:
                check.unchecked += [f"{protocol}.{name}" for name in scores]
                continue
            self._check_scores(stored, protocol, check)
        return Verified(check.path, tuple(check.faults), check.recomputed, tuple(check.unchecked))

    def _check_duplicate(self, entry: Entry, check: "_Check") -> None:
        first = self.seen.setdefault(same_results(entry), check.path)
        if first != check.path:
            check.fault("cells", "results of its own", f"those of {first}")

    def _check_claims(self, entry: Entry, check: "_Check") -> None:
        """What plugins that are installed here say of themselves: which way is better, and who sees test masks."""
        for name, facts in entry.metrics.items():
            if name in self.metrics and facts != self.metrics[name]:
                check.fault(f"metrics.{name}", str(self.metrics[name]), str(facts))
        plugin = self.methods.get(entry.method)
        if plugin and plugin.version == entry.method_version:
            check.same("kind", plugin.card.kind, entry.kind)
            sees = Capability.SEES_TEST_MASKS
            check.same("capabilities", sees in plugin.card.capabilities, sees in entry.capabilities)
        check.same("plugin_file", file_of(entry.method), entry.plugin_file)

    def _check_scores(self, stored: Stored, protocol: str, check: "_Check") -> None:
        known, said = self.known[protocol], stored.entry.scores[protocol]
        try:
            cells = [cell for cell in stored.entry.finished if cases_file(protocol, cell) in stored.entry.files]
            cases = [(cell.fold, packed_scores(stored, protocol, cell)) for cell in cells]
            found = scores_of(cases, known)
        except (MrbenchError, ValueError, ArithmeticError, LookupError) as error:
            what = error.message.replace("\n", ";") if isinstance(error, MrbenchError) else str(error)
            check.fault(f"scores.{protocol}", "scores that can be computed from its cases", what)
            return
        for cell, (_, scored) in zip(cells, cases, strict=True):
            if (digest := digest_of_cases(scored)) != cell.cases.get(protocol):
                check.fault(f"cells.{cell.place}.cases.{protocol}", digest, cell.cases.get(protocol, "none"))
        for name, score in said.items():
            check.number(f"scores.{protocol}.{name}.mean", fmean(score.folds.values()), score.mean)
            if known.digests.get(name) != score.definition:
                check.unchecked.append(f"{protocol}.{name}")
            elif name not in found:
                check.fault(f"scores.{protocol}.{name}", "cases that have it", "none")
            else:
                check.compare(f"scores.{protocol}.{name}", found[name], score)
        for name in found:
            if name not in said:
                check.fault(f"scores.{protocol}.{name}", "a score, for its cases are there", "none")


class _Check:
    """What is found of one entry."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.faults: list[Fault] = []
        self.unchecked: list[str] = []
        self.recomputed = 0

    def fault(self, field: str, expected: str, found: str) -> None:
        self.faults.append(Fault(self.path, visible(field)[:200], visible(expected)[:300], visible(found)[:300]))

    def compare(self, field: str, expected: Score, found: Score) -> None:
        """Every number of a score."""
        for name, value in vars(expected).items():
            said = getattr(found, name)
            if isinstance(value, dict):
                for place in sorted({*value, *said}):
                    self.number(f"{field}.{name}.{place}", value.get(place), said.get(place))
            elif name not in ("definition", "no_interval") and not (name == "of_cases" and said is None):
                self.number(f"{field}.{name}", value, said)

    def same(self, field: str, expected: object, found: object) -> None:
        """Anything that is no number."""
        if expected != found:
            self.fault(field, str(expected), str(found))

    def number(self, field: str, expected: float | None, found: float | None) -> None:
        """A number, but for the order of sums."""
        self.recomputed += 1
        if expected is None or found is None:
            same = expected is found
        else:
            same = math.isclose(expected, found, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        if not same:
            self.fault(field, _shown(expected), _shown(found))


def _shown(number: float | None) -> str:
    return "none" if number is None else repr(number)


def _check_cells(entry: Entry, check: _Check) -> None:
    places = [cell.place for cell in entry.cells]
    for place in dict.fromkeys(place for place in places if places.count(place) > 1):
        check.fault("cells", f"{place} once", f"{places.count(place)} times")
    latest = max(cell.written for cell in entry.cells)
    if entry.written != latest:
        check.fault("written", latest, entry.written)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    if entry.written > tomorrow:
        check.fault("written", "no day to come", entry.written)
    for metric in {name for scores in entry.scores.values() for name in scores} ^ set(entry.metrics):
        check.fault(f"metrics.{metric}", "the metrics of its scores and no others", "otherwise")


def _check_files(stored: Stored, check: _Check) -> None:
    expected = set(_possible(stored.entry))
    for name in stored.entry.files:
        if name not in expected:
            check.fault(f"files.{name}", "cases or curves of one of its cells", "something else")
            continue
        try:
            content = stored.read(name)
            if name.startswith("curves."):
                with checked_file(content, name) as path:
                    read_curves(path)
        except MrbenchError as error:
            check.fault(f"files.{name}", error.expected or "a file that can be read", error.found or error.what)


def _possible(entry: Entry) -> Sequence[str]:
    curves = [f"curves.{cell.place}.csv" for cell in entry.finished]
    return curves + [cases_file(protocol, cell) for protocol in entry.scores for cell in entry.finished]
