"""Checks of fusions alone."""

from dataclasses import replace

import numpy as np

from mrbench.testing.candidate import FusionCandidate
from mrbench.testing.check import rule
from mrbench.testing.compare import expect_equal
from mrbench.testing.scenes import MISSING

SAMPLES = 4


@rule("fusion")
def absent_ignored(candidate: FusionCandidate) -> None:
    """What stands in the masks of absent raters changes no trial."""
    draw = candidate.working_drawer(MISSING)
    for case in map(MISSING.case, range(MISSING.count)):
        rubbish = np.random.default_rng(0).integers(0, 2, case.masks.shape, np.uint8)
        absent = ~case.present.reshape(-1, *(1,) * (case.masks.ndim - 1))
        other = replace(case, masks=np.where(absent, rubbish, case.masks))
        expect_equal("it reads the masks of absent raters", draw(case, SAMPLES, 3), draw(other, SAMPLES, 3))


CHECKS = (absent_ignored,)
