"""The tests of a paired difference, by the names that the command line has for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from mrbench.results.pairing import Paired
from mrbench.statistics.equality import TIE
from mrbench.statistics.exchanges import EXCHANGES
from mrbench.statistics.over_folds import corrected_resampled_t, share_tested, sign_test
from mrbench.statistics.permutation import exchange_test
from mrbench.statistics.signed_rank import clustered_signed_rank
from mrbench.statistics.significance import Significance, refused


@dataclass(frozen=True)
class PairedTest:
    """A test of two methods.

    Attributes:
        what: it does and about what it speaks, for a note below the table.
    """

    what: str
    run: Callable[[Paired, int], Significance]


def _exchange(paired: Paired, draws: int) -> Significance:
    return exchange_test(paired.a, paired.b, draws=draws)


def _signed_rank(paired: Paired, draws: int) -> Significance:
    if paired.case_differences is None:
        return refused("pooled over cases: a case alone has no value to rank", paired.total_subjects)
    differences = np.array([difference for difference, _ in paired.case_differences])
    differences[np.abs(differences) <= TIE] = 0
    return clustered_signed_rank(differences, [subject for _, subject in paired.case_differences], draws=draws)


def _resampled_t(paired: Paired, draws: int) -> Significance:  # noqa: ARG001
    return corrected_resampled_t(paired.fold_differences, share_tested(paired.subjects, paired.total_subjects))


def _sign(paired: Paired, draws: int) -> Significance:  # noqa: ARG001
    differences = paired.fold_differences
    return sign_test(int((differences > TIE).sum()), int((differences < -TIE).sum()))


TESTS: Mapping[str, PairedTest] = {
    "exchange": PairedTest(
        "subjects change places between A and B (permutation test); of the difference in the table, about other "
        "subjects, not other trainings",
        _exchange,
    ),
    "signed-rank": PairedTest(
        "clustered signed-rank test of the cases (Datta & Satten 2008), each subject counting once; about other "
        "subjects, not other trainings",
        _signed_rank,
    ),
    "resampled-t": PairedTest(
        "corrected resampled t test over folds (Nadeau & Bengio 2003); about other training data too", _resampled_t
    ),
    "sign": PairedTest("sign test over folds; takes folds for independent, which those of one data set are not", _sign),
}
"""By name; the first is the default."""

DEFAULT = next(iter(TESTS))


def significances(paired: Paired, draws: int = EXCHANGES) -> dict[str, Significance]:
    """Every test; ``draws``: exchanges of those that draw them."""
    return {name: test.run(paired, draws) for name, test in TESTS.items()}
