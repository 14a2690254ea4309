"""The answers of a board to the questions that it asks, kept from one build to the next."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from mrbench import __version__
from mrbench.comparison.differences import Comparison, Verdict
from mrbench.comparison.over_datasets import Evidence
from mrbench.comparison.questions import Question, answered, applying
from mrbench.digests import digest_json
from mrbench.errors import MrbenchError
from mrbench.files import read_json, write_json
from mrbench.leaderboard.scores import Definitions
from mrbench.metrics.protocol import STRICT
from mrbench.registry import Registry
from mrbench.results.columns import gain
from mrbench.results.method_run import MethodRun
from mrbench.results.reader import ScoreReader
from mrbench.results.table import Row, Table


@dataclass(frozen=True)
class Answer:
    """One row beside the control.

    Attributes:
        entry: its id.
        difference: of the row less the control; None where they have no case in common.
        low, high, p: None where they cannot be known.
        verdict: None where nothing can be told.
        better: is the row the better one, whatever the verdict?
        evidence: what it adds to a claim over data sets; None where nothing could be tested.
        reason: why something is not known.
    """

    entry: str
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    verdict: Verdict | None = None
    better: bool = False
    evidence: Evidence | None = None
    reason: str = ""


@dataclass(frozen=True)
class Asked:
    """A question put to the rows of one table.

    Attributes:
        dataset, key: of the table.
        control: id of the control's entry; empty where there is none.
        margin: below it a difference has no substance.
        answers: of the other rows.
        reason: why there are none.
    """

    question: Question
    dataset: str
    key: str
    control: str = ""
    margin: float | None = None
    answers: tuple[Answer, ...] = ()
    reason: str = ""


class Asker:
    """Puts the questions to tables; what was answered before is read from a cache.

    Args:
        cache: a file that only this program writes; None: none.
    """

    def __init__(self, registry: Registry, known: Definitions, cache: Path | None) -> None:
        self.registry, self.known, self.cache = registry, known, cache
        self._kept: dict[str, Asked] = {}
        self._used: dict[str, Asked] = {}
        with suppress(OSError, ValueError, AttributeError):
            self._kept = _adapter().validate_python(read_json(cache)) if cache else {}

    def ask(self, table: Table, raters: str) -> list[Asked]:
        """Every question that can be asked of the table's rows; of other scoring protocols than ``strict`` none."""
        if table.protocol != STRICT.name:
            return []
        return [self._asked(question, table) for question in applying(raters) if question.metric in self.known.metrics]

    def save(self) -> None:
        """Keeps what was used for the next time."""
        if self.cache and self._used != self._kept:
            write_json(self.cache, _adapter().dump_python(self._used, mode="json"))

    def _asked(self, question: Question, table: Table) -> Asked:
        rows = [row for row in table.current if question.metric in row.values and row.run and row.run.ranked]
        controls = [row for row in rows if row.method == question.control]
        if not controls:
            return Asked(
                question,
                table.dataset,
                table.key,
                reason=f"no complete record of {question.control} with {question.metric}",
            )
        control = max(controls, key=lambda row: (row.run.written if row.run else "", row.id))
        others = [row for row in rows if row is not control]
        ids = [row.id for row in (control, *others)]
        place = digest_json(
            [
                __version__,
                *Answer.__dataclass_fields__,
                question.name,
                self.known.digests[question.metric],
                table.key,
                ids,
            ]
        )
        self._used[place] = self._kept.get(place) or self._answered(question, table, control, others)
        return self._used[place]

    def _answered(self, question: Question, table: Table, control: Row, others: Sequence[Row]) -> Asked:
        reader = ScoreReader(self.registry, STRICT, (question.metric,))
        runs = {row.id: row.run for row in (control, *others) if row.run}
        try:
            found = answered(runs[control.id], [runs[row.id] for row in others], reader)
        except MrbenchError as error:
            return Asked(question, table.dataset, table.key, control.id, reason=error.what[:300])
        by_run: Mapping[int, Comparison] = {id(one.b): one for one in found}
        answers = tuple(_answer(runs[row.id], by_run.get(id(runs[row.id])), table, question) for row in others)
        margin = next((one.differences[0].margin for one in found), None)
        return Asked(question, table.dataset, table.key, control.id, margin, answers)


def _answer(run: MethodRun, found: Comparison | None, table: Table, question: Question) -> Answer:
    if found is None:
        return Answer(run.id, reason="no case in common with the control")
    (one,) = found.differences
    interval, sign = one.estimate.interval(), gain(table.columns[question.metric])
    return Answer(
        entry=run.id,
        difference=one.estimate.value,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        p=one.corrected,
        verdict=one.verdict,
        better=sign * one.estimate.value > 0,
        evidence=Evidence.of(one.estimate, sign, one.margin),
        reason="; ".join(dict.fromkeys(filter(None, (one.estimate.reason, *one.flags)))),
    )


@cache
def _adapter() -> TypeAdapter[dict[str, Asked]]:
    return TypeAdapter(dict[str, Asked])
