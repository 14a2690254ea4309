"""What raters who are asked again say: the law of total distance of people, exact but for the number of redraws.

Axis letters: R raters, S draws, F = K - 1 foreground classes.
"""

from dataclasses import dataclass, field

import numpy as np

from mrbench.data.case import Case
from mrbench.data.description import Description
from mrbench.diagnostics.figures import Figure, Tally
from mrbench.diagnostics.law import law_of_draws, law_values
from mrbench.diagnostics.masks import packed_labels
from mrbench.diagnostics.names import REDRAWN
from mrbench.diagnostics.pixels import pixel_values
from mrbench.engine.redraws import asked_again
from mrbench.interfaces.case_tables import CaseTables


@dataclass(eq=False)
class RedrawsDiagnosis:
    """Collects what is found of each case, of the raters who looked at it.

    Attributes:
        description: of the data set.
        seed: of the prediction.
        draws: S of each rater.
        tally: of the figures.
        same: cases in which redraw 0 of each rater is the stored prediction.
        deltas: Delta_rr', ``(R, R)``, of each case that every rater looked at.
    """

    description: Description
    seed: int
    draws: int
    tally: Tally
    same: int = 0
    deltas: list[np.ndarray] = field(default_factory=list)

    def survey(self, case: Case) -> None:
        """Before any case is added: nothing, for people have no priors that are known."""

    def add(self, case: Case, tables: CaseTables) -> None:
        """Asks the raters of one case again; ``tables``: as it was stored."""
        drawn = {rater: self._redraws(case, rater) for rater in np.flatnonzero(case.present).tolist()}
        stored = ((bits[0], tables.kept_bits[tables.rows_of(rater)[0]]) for rater, bits in drawn.items())
        self.same += all(np.array_equal(*pair) for pair in stored)
        law = law_of_draws(list(drawn.values()))
        of_each = zip(drawn, law.within.tolist(), strict=True)
        names = self.description.rater_names
        self.tally.add(case.subject, law_values(law))
        self.tally.add(case.subject, pixel_values(np.stack(list(drawn.values()))))
        self.tally.add(case.subject, {f"{REDRAWN} {names[rater]}": (within, 1.0) for rater, within in of_each})
        if case.present.all():
            self.deltas.append(law.delta)

    def figures(self) -> dict[str, Figure]:
        """Those that are of all cases together: none."""
        return {}

    def _redraws(self, case: Case, rater: int) -> np.ndarray:
        # (S, F, bytes)
        redraw = asked_again(case, self.seed)
        return packed_labels(np.stack([redraw(rater, draw) for draw in range(self.draws)]), self.description.n_classes)
