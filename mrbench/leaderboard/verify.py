"""Verifying: what an entry says is computed again from the cases packed with it, and compared with what is known."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean

from mrbench.digests import digest_json
from mrbench.engine.equivalence import other_code
from mrbench.errors import MrbenchError
from mrbench.leaderboard.claims import claims_of, content_claim
from mrbench.leaderboard.duplicates import Duplicates
from mrbench.leaderboard.entry import METHOD_FILE, CellEntry, Entry, Score, entry_bytes
from mrbench.leaderboard.pack import metric_facts
from mrbench.leaderboard.plausible import doubts, implausible
from mrbench.leaderboard.registered import (
    Registered,
    RegisteredData,
    cases_of_fold,
    differences,
    in_words,
    key_of,
)
from mrbench.leaderboard.scores import Definitions, scores_of
from mrbench.leaderboard.source import cases_file, checked_file, packed_scores, recorded_code
from mrbench.leaderboard.store import SetAside, Stored, Why, entries, id_of, turn
from mrbench.metrics.protocol import PROTOCOLS, STRICT
from mrbench.metrics.scores import Scores
from mrbench.metrics.scoring import reduce_fold
from mrbench.registry import Registry
from mrbench.results.curves import Curve, read_curves
from mrbench.results.trainings import OVERLAP, cut_short, misses_everything
from mrbench.visible import visible

TOLERANCE = 1e-9
"""Of numbers computed again, absolute and relative: sums in another order differ by less."""

BEGIN = "2025-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Fault:
    """Something that is wrong with an entry.

    Attributes:
        path: of the entry below ``records``.
        field: of the entry, or the file, where it is.
        why: what it means for the entry.
    """

    path: str
    field: str
    expected: str = ""
    found: str = ""
    why: Why = Why.INVALID

    @property
    def line(self) -> str:
        """All of it in a line."""
        parts = [self.field, self.expected and f"expected {self.expected}", self.found and f"found {self.found}"]
        return "; ".join(filter(None, parts))


@dataclass(frozen=True)
class Verified:
    """One folder.

    Attributes:
        recomputed: numbers that were computed again.
        unchecked: scores, as ``protocol.metric``, that are defined otherwise here, or not installed, so that nobody can
            say.
        caveats: what a reader must know, by its own files.
        failed: places of the cells whose training learned nothing.
    """

    path: str
    faults: tuple[Fault, ...]
    recomputed: int = 0
    unchecked: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class Verifier:
    """Verifies one folder after the other, each alone and against those before it.

    Args:
        registered: the data that entries may be of.
    """

    def __init__(self, registry: Registry, registered: Registered) -> None:
        self.known = {name: Definitions.of(registry, protocol) for name, protocol in PROTOCOLS.items()}
        self.methods = {plugin.key: plugin for plugin in registry.plugins["method"]}
        self.metrics = {plugin.key: metric_facts(plugin.card) for plugin in registry.plugins["metric"]}
        self.registered = registered
        self.duplicates = Duplicates()
        self._codes: dict[tuple[object, ...], str] = {}

    @property
    def digest(self) -> str:
        """Of all that an entry is verified against; what it is verified with is in no digest."""
        definitions = {name: dict(known.digests) for name, known in self.known.items()}
        methods = {name: repr((plugin.card, plugin.version)) for name, plugin in self.methods.items()}
        metrics = {name: repr(facts) for name, facts in self.metrics.items()}
        return digest_json([definitions, methods, metrics, self.registered.digest])

    def board(self, board: Path) -> Iterator[Verified]:
        """Every entry below ``records``, what was computed first before what repeats it."""
        found = list(entries(board))
        for aside in (one for one in found if isinstance(one, SetAside)):
            yield Verified(aside.path, (Fault(aside.path, "entry", found=aside.fault, why=aside.why),))
        for stored in sorted((one for one in found if isinstance(one, Stored)), key=turn):
            yield self.entry(stored)

    def entry(self, stored: Stored) -> Verified:
        """One entry, alone and against those before it."""
        return self.against_others(stored, self.alone(stored))

    def against_others(self, stored: Stored, found: Verified) -> Verified:
        """What was found of an entry alone, with what those before it add; one with faults claims no results."""
        if found.faults:
            return found
        if files := self._other_code(stored.entry):
            other = Fault(found.path, "code", "that of the method as it is installed here", files, Why.VERSION)
            return replace(found, faults=(other,))
        again = self.duplicates.of(stored.entry, found.path)
        repeats = Fault(found.path, "cells", "results of its own", f"those of {again}")
        return replace(found, faults=(*found.faults, repeats)) if again else found

    def _other_code(self, entry: Entry) -> str:
        """The files in which the code of an entry differs from what is installed here; blank where none does."""
        key = entry.kind, entry.training_code, entry.prediction_code, entry.code.modules, *entry.code.files.items()
        if key not in self._codes:
            self._codes[key] = other_code(entry.spec, recorded_code(entry))
        return self._codes[key]

    def alone(self, stored: Stored) -> Verified:
        """One entry, whatever others there are."""
        check, entry = _Check(stored.path), stored.entry
        check.same("entry", "the bytes that mrbench writes", _as_written(stored))
        for claim in claims_of(entry, self.methods, self.metrics):
            check.same(*claim)
        _check_cells(entry, check)
        _check_files(stored, check)
        line = self._registered(entry, check)
        for protocol in entry.scores:
            if protocol in self.known:
                self._check_scores(stored, protocol, line, check)
            else:
                check.unchecked += [f"{protocol}.{name}" for name in entry.scores[protocol]]
        if len(check.unchecked) == sum(map(len, entry.scores.values())) > 0:
            check.fault("scores", "a score that can be computed again here", "none", Why.VERSION)
        learned = entry.kind == "method"
        return Verified(
            check.path,
            tuple(check.faults),
            check.recomputed,
            tuple(check.unchecked),
            (*(cut_short(check.curves) if learned else ()), *check.doubts),
            tuple(check.failed) if learned else (),
        )

    def _registered(self, entry: Entry, check: "_Check") -> RegisteredData | None:
        line = self.registered.of(entry)
        if line is None:
            tested = entry.spec.tested.dataset
            known = " or ".join(in_words(*one.key) for one in self.registered.named(tested))
            expected = known or "registered data (mrbench leaderboard register)"
            check.fault(f"dataset {tested}", expected, in_words(*key_of(entry)), Why.DATA)
            return None
        for name in ("raters", "rater_names", "classes", "unit"):
            check.same(f"data.{name}", getattr(line.data, name), getattr(entry.data, name), Why.DATA)
        return line

    def _check_scores(self, stored: Stored, protocol: str, line: RegisteredData | None, check: "_Check") -> None:
        known, entry = self.known[protocol], stored.entry
        try:
            cells = [cell for cell in entry.finished if cases_file(protocol, cell) in entry.files]
            cases = [(cell.fold, packed_scores(stored, protocol, cell)) for cell in cells]
            found = scores_of(cases, known, trained=entry.trained)
        except (MrbenchError, ValueError, ArithmeticError, LookupError) as error:
            what = error.message.replace("\n", ";") if isinstance(error, MrbenchError) else str(error)
            check.fault(f"scores.{protocol}", "scores that can be computed from its cases", what)
            return
        for cell, (_, scored) in zip(cells, cases, strict=True):
            _check_cases(entry, cell, protocol, scored, line, check)
            if protocol == STRICT.name and _learned_nothing(scored, known):
                check.failed.append(cell.place)
        self._check_values(entry, protocol, found, check)
        check.doubts += doubts(entry, found) if protocol == STRICT.name else ()
        for field, expected, said in implausible(entry, protocol, found, self.metrics):
            check.fault(field, expected, said, Why.UNPROVEN)

    def _check_values(self, entry: Entry, protocol: str, found: Mapping[str, Score], check: "_Check") -> None:
        known, said = self.known[protocol], entry.scores[protocol]
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


def _learned_nothing(scores: Scores, known: Definitions) -> bool:
    told = {name: known.metrics[name] for name in OVERLAP if name in known.metrics}
    values = reduce_fold(scores.only(told), told, known.protocol)
    return misses_everything({name: value.value for name, value in values.items()})


def _as_written(stored: Stored) -> str:
    """Other bytes can say a thing twice, of which a reader sees one and the program takes the other."""
    same = id_of(entry_bytes(stored.entry)) == stored.id
    return "the bytes that mrbench writes" if same else "others that say the same"


def _check_cases(
    entry: Entry, cell: CellEntry, protocol: str, scores: Scores, line: RegisteredData | None, check: "_Check"
) -> None:
    tested = cases_of_fold(scores, human=entry.human)
    check.same(f"cells.{cell.place}.cases.{protocol}", tested.digest, cell.cases.get(protocol, "none"))
    for field, expected, found in differences(line, cell.fold, protocol, tested) if line else ():
        check.fault(field, expected, found, Why.DATA)


class _Check:
    """What is found of one entry."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.faults: list[Fault] = []
        self.unchecked: list[str] = []
        self.recomputed = 0
        self.curves: list[Mapping[str, Curve]] = []
        self.failed: list[str] = []
        self.doubts: list[str] = []

    def fault(self, field: str, expected: str, found: str, why: Why = Why.INVALID) -> None:
        """A fault; what strangers wrote is made visible and cut."""
        self.faults.append(Fault(self.path, visible(field)[:200], visible(expected)[:300], visible(found)[:300], why))

    def compare(self, field: str, expected: Score, found: Score) -> None:
        """Every number of a score."""
        for name, value in vars(expected).items():
            said = getattr(found, name)
            if isinstance(value, dict):
                for place in sorted({*value, *said}):
                    self.number(f"{field}.{name}.{place}", value.get(place), said.get(place))
            elif isinstance(value, str):
                self.same(f"{field}.{name}", value, said)
            else:
                self.number(f"{field}.{name}", value, said)

    def same(self, field: str, expected: object, found: object, why: Why = Why.INVALID) -> None:
        """Anything that is no number."""
        if expected != found:
            self.fault(field, str(expected), str(found), why)

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
    earliest = min(cell.written for cell in entry.cells)
    if earliest < BEGIN:
        check.fault("cells", f"written after {BEGIN}, when mrbench began", earliest)
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
            if name == METHOD_FILE:
                check.same(*content_claim(stored.entry, content))
            elif name.startswith("curves."):
                with checked_file(content, name) as path:
                    check.curves.append(read_curves(path))
                check.same(f"files.{name}", "curves", "curves" if check.curves[-1] else "none")
        except MrbenchError as error:
            check.fault(f"files.{name}", error.expected or "a file that can be read", error.found or error.what)


def _possible(entry: Entry) -> Sequence[str]:
    curves = [f"curves.{cell.place}.csv" for cell in entry.finished]
    curves += [METHOD_FILE] if entry.plugin_file else []
    return curves + [cases_file(protocol, cell) for protocol in entry.scores for cell in entry.finished]
