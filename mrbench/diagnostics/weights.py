"""What the weights of a cell say: its answers drawn again, case by case.

Axis letters: R raters, S draws.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mrbench.data.caseset import CaseSet
from mrbench.diagnostics.drawn import redraws
from mrbench.diagnostics.figures import Tally
from mrbench.diagnostics.law import Law, law_of
from mrbench.diagnostics.masks import distances
from mrbench.diagnostics.names import BETWEEN, RATERS, WITHIN
from mrbench.engine.draws import Source
from mrbench.interfaces.case_tables import CaseTables


@dataclass(eq=False)
class WeightsDiagnosis:
    """Collects what is found of each case.

    Attributes:
        source: of the draws.
        cases: that the cell was tested on.
        draws: S.
        tally: of the figures.
        same: cases whose draws are the stored ones.
        deltas: Delta_rr', ``(R, R)`` of each case.
    """

    source: Source
    cases: CaseSet
    draws: int
    tally: Tally
    same: int = 0
    deltas: list[np.ndarray] = field(default_factory=list)

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {name: place for place, name in enumerate(self.cases.ids)}

    def add(self, case_id: str, tables: CaseTables) -> None:
        """Looks at one case; ``tables``: as it was stored."""
        case = self.cases[self._places[case_id]]
        answers = self.source.answers(case.without_masks())
        sample, raters = redraws(self.source, answers, self.draws)
        samples = sample({}) if sample else None
        personal = [draw({}) for draw in raters]
        self.same += _are_stored(samples, personal, tables)
        if personal:
            law = _law(personal)
            self.deltas.append(law.delta)
            self.tally.add(case.subject, _law_values(law))


def _law(personal: list[np.ndarray]) -> Law:
    raters, draws = len(personal), len(personal[0])
    return law_of(distances(np.concatenate(personal)).reshape(raters, draws, raters, draws))


def _law_values(law: Law) -> Mapping[str, tuple[float, float]]:
    within = float(law.within.mean())
    return {RATERS: (law.total, 1.0), WITHIN: (within, law.total), BETWEEN: (law.between, law.total)}


def _are_stored(samples: np.ndarray | None, personal: list[np.ndarray], tables: CaseTables) -> bool:
    """Are the draws that the cell stored among those that were drawn again, bit by bit?"""
    bits = tables.kept_bits
    n = 0 if samples is None else min(len(samples), tables.n_samples)
    pairs = [(samples[:n], bits[:n])] if samples is not None else []
    if len(tables.predicted_rater):
        pairs += [(personal[r][0], bits[tables.rows_of(r)[0]]) for r in range(len(personal))]
    return bool(pairs) and all(np.array_equal(*pair) for pair in pairs)
