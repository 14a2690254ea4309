"""Leaderboards of any size without any run: entries with cases and scores, by the harness's own writers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mrbench.cards import Capability
from mrbench.data.description import Raters, Unit
from mrbench.engine.cell import Status
from mrbench.errors import MrbenchError
from mrbench.interfaces.metric import Key
from mrbench.leaderboard.entry import CellEntry, DataFacts, Entry, MethodFacts, Phase, entry_bytes
from mrbench.leaderboard.pack import metric_facts
from mrbench.leaderboard.register import line_of_entry
from mrbench.leaderboard.registered import RegisteredData, read_registered, write_registered
from mrbench.leaderboard.scores import Definitions, digest_of_cases, scores_of
from mrbench.leaderboard.store import ENTRY, Stored, facts_of, folder_of, id_of, read_entry
from mrbench.metrics.protocol import PROTOCOLS
from mrbench.metrics.scores import EVERYWHERE, ScoreCollector, Scores
from mrbench.registry import Registry, discover

SAMPLED = ("ged", "ged_pa", "ged_pp", "ged_aa", "dice_soft", "ged_unbiased", "brier")
PERSONAL = ("dice_rater",)
DATA = DataFacts(Raters.IDENTIFIED, ("a", "b"), ("background", "lesion"), Unit.SLICE, "CC0", "nobody", "made up")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Made:
    """A method on one data set, whose values lie around ``level``; ``lacking``: cases without the metric of raters."""

    method: str
    dataset: str = "phantom"
    level: float = 0.7
    samples: int = 50
    folds: int = 2
    seeds: int = 1
    subjects: int = 12
    people: bool = False
    failed: bool = False
    lacking: int = 0
    days: int = 0


@cache
def registry() -> Registry:
    """All plugins, found once."""
    return discover()


@cache
def definitions(protocol: str = "strict") -> Definitions:
    """The metrics as they are installed."""
    return Definitions.of(registry(), PROTOCOLS[protocol])


def entry_of(made: Made, protocols: tuple[str, ...] = ("strict",)) -> tuple[Entry, Mapping[str, bytes]]:
    """An entry with its files: every number in it can be computed again."""
    random = np.random.default_rng([ord(letter) for letter in made.method + made.dataset])
    finished = range(made.folds - made.failed)
    places = [(fold, seed) for fold in finished for seed in range(made.seeds)]
    cases = {p: {place: _cases(made, place[0], random) for place in places} for p in protocols}
    scores = {
        protocol: scores_of(
            [(fold, own) for (fold, _), own in cells.items()], definitions(protocol), trained=not made.people
        )
        for protocol, cells in cases.items()
    }
    files = {f"{p}.{_at(place)}.csv.gz": _gzipped(own) for p, cells in cases.items() for place, own in cells.items()}
    curve = "stage,epoch,train/total,validation/total\n" + "".join(f"main,{n},{1 / (n + 1)},\n" for n in range(5))
    files |= {f"curves.{_at(place)}.csv": curve.encode() for place in places}
    tested = {place: {p: digest_of_cases(cases[p][place]) for p in protocols} for place in places}
    written = (BEGIN + timedelta(days=made.days)).isoformat(timespec="seconds")
    planned = [(fold, seed) for fold in range(made.folds) for seed in range(made.seeds)]
    cells = tuple(_cell(made, place, written, tested.get(place, {})) for place in planned)
    used = dict.fromkeys(name for own in scores.values() for name in own)
    metrics = {p.key: metric_facts(p.card) for p in registry().plugins["metric"] if p.key in used}
    return _entry(made, cells, metrics, scores, files, written), files


def again(entry: Entry, number: int, *, day: str = "", **changes: object) -> Entry:
    """The same cases as of another computation: results that stand twice on a board are listed apart.

    Args:
        number: tells it from others.
        day: when it was computed; the same where none is given.
    """
    written = f"{day}T00:00:00+00:00" if day else entry.written
    cells = tuple(replace(cell, written=written) for cell in entry.cells)
    return replace(entry, **{"prediction_digest": f"{number:064x}", "written": written, "cells": cells, **changes})


def _entry(made, cells, metrics, scores, files, written) -> Entry:
    digest = id_of(made.method.encode()) * 4
    people, learns = (Capability.CONSENSUS, Capability.SEES_TEST_MASKS), (Capability.DIVERSE, Capability.PERSONAL)
    given = people if made.people else learns
    return Entry(
        method=made.method, dataset=made.dataset, kind="fusion" if made.people else "method", family=made.method,
        gives="consensus", method_version="0", capabilities=given,
        about=MethodFacts("summary", "paper", "MIT", "mine 1.0"), options={"epochs": "3"}, preset="quick", changed={},
        samples=made.samples, data=DATA, dataset_options={}, dataset_changed={}, data_digest="d" * 64,
        split="strict", split_digest="5" * 64, training_digest=digest,
        prediction_digest=digest, cells=cells, metrics=metrics, scores=scores,
        written=written,
        files={name: facts_of(content) for name, content in files.items()},
    )  # fmt: skip


def _at(place: tuple[int, int]) -> str:
    return "fold{}-seed{}".format(*place)


def _cell(made: Made, place: tuple[int, int], written: str, tested: Mapping[str, str]) -> CellEntry:
    if not tested:
        return CellEntry(*place, Status.FAILED, written, "what went wrong")
    phases = {"fit": Phase(60.0 + made.level, 300.0), "predict": Phase(2.0, 310.0)}
    more = {"versions": {"mrbench": "0.1.0"}, "environment": {"device": "cpu"}, "cases": dict(tested)}
    return CellEntry(
        *place, Status.OK, written, phases=phases, parameters=1000, milliseconds_per_image=1.5, epochs=5, **more
    )


def _cases(made: Made, fold: int, random: np.random.Generator) -> Scores:
    scores = ScoreCollector()
    of_data = np.random.default_rng([ord(letter) for letter in made.dataset] + [fold])
    for subject in range(made.subjects):
        for number in range(2):
            dice = np.clip(made.level + random.normal(0, 0.05, len(SAMPLED) + 2), 0, 1)
            dice[SAMPLED.index("ged_aa")] = of_data.uniform(0.2, 0.4)  # follows from the raters' masks alone
            dice[SAMPLED.index("ged_pp")] *= not made.people  # which are single answers here
            sampled = {(name, Key(1)): dice[at : at + 1] for at, name in enumerate(SAMPLED)}
            personal = {("dice_rater", Key(1, rater)): dice[-1 - rater :][:1] for rater in range(2)}
            lacks = 2 * subject + number < made.lacking
            values, without = (sampled, [("dice_rater", EVERYWHERE)]) if lacks else (sampled | personal, [])
            scores.append(f"case {fold}-{subject}-{number}", f"subject {fold}-{subject}", values, without)
    return scores.scores()


def _gzipped(scores: Scores) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cases"
        scores.write_csv(path)
        return path.read_bytes()


def put(board: Path, entry: Entry, files: Mapping[str, bytes], *, known: bool = True) -> Path:
    """Writes an entry where it belongs; the folder.

    Args:
        known: register its folds too, but for those that are.
    """
    content = entry_bytes(entry)
    folder = folder_of(board, entry, id_of(content))
    folder.mkdir(parents=True, exist_ok=True)
    for name, own in {**files, ENTRY: content}.items():
        (folder / name).write_bytes(own)
    if known:
        _register(board, folder)
    return folder


def _register(board: Path, folder: Path) -> None:
    """What a person accepted who saw this entry first."""
    stored, registered = read_entry(folder), read_registered(board)
    line, old = _line(stored), registered.of(stored.entry)
    if line is None:
        return
    if old is not None:
        line = replace(line, folds={fold: own for fold, own in line.folds.items() if fold not in old.folds})
    more = registered.with_line(line)
    if more != registered:
        write_registered(board, more)


def _line(stored: Stored) -> RegisteredData | None:
    try:
        return line_of_entry(stored)
    except MrbenchError:  # a test is about cases that cannot be read
        return None


def put_raw(board: Path, like: Entry, content: bytes, files: Mapping[str, bytes]) -> Path:
    """Writes bytes as an ``entry.json`` whose digest is right, where ``like`` belongs; the folder."""
    folder = folder_of(board, like, id_of(content))
    folder.mkdir(parents=True)
    for name, own in {**files, ENTRY: content}.items():
        (folder / name).write_bytes(own)
    return folder


def write_board(board: Path, entries: int, *, methods: int = 25, datasets: tuple[str, ...] = ("phantom",)) -> None:
    """A board of so many entries: the methods by turns, all but the newest of each are history."""
    made = [Made(method=f"method-{m}", dataset=d, level=0.6 + 0.01 * m) for d in datasets for m in range(methods)]
    base = [entry_of(one, tuple(PROTOCOLS)) for one in made]
    for number, (entry, files) in zip(range(entries), cycle(base), strict=False):
        written = (BEGIN + timedelta(minutes=number)).isoformat(timespec="seconds")
        cells = tuple(replace(cell, written=written) for cell in entry.cells)
        own = again(replace(entry, written=written, cells=cells), number)
        put(board, own, files, known=number < len(made))
