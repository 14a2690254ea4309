"""Checks of data sets. One whose files are not there is not applicable, and says how to get them."""

import json
from dataclasses import dataclass
from functools import cached_property

from mrbench.data.caseset import CaseSet
from mrbench.data.checks import check_cases
from mrbench.data.description import Description
from mrbench.errors import DataAbsentError, NotApplicableError
from mrbench.testing.candidate import Candidate
from mrbench.testing.check import CheckFailedError, expect_none, rule
from mrbench.testing.watch import RandomState, seeded_globally, watch, watch_pickles

STRICT = "strict"


@dataclass(frozen=True, eq=False)
class Loading:
    """A data set as loaded, with what else that did.

    Attributes:
        disturbed: global generators that it left in another state.
        written: paths that it wrote, made, moved or removed.
        unpickled: names that pickles looked up.
    """

    cases: CaseSet
    disturbed: list[str]
    written: list[str]
    unpickled: list[str]


class DatasetCandidate(Candidate):
    """A data set under check, loaded twice for all checks."""

    @cached_property
    def first(self) -> Loading:
        """The data set under its default options. What it imports on the way is no doing of its own.

        Raises:
            NotApplicableError: its files are not there.
        """
        return self._load(seed=1)

    @property
    def ready(self) -> Loading:
        """As :attr:`first`, for checks that have another subject than that it can be loaded.

        Raises:
            NotApplicableError: it cannot; the check ``cases`` says why.
        """
        try:
            return self.first
        except NotApplicableError:
            raise
        except Exception as error:
            raise NotApplicableError("it cannot be loaded: see cases") from error

    @cached_property
    def second(self) -> Loading:
        """The same loaded anew, with the global generators in another state."""
        assert self.ready
        return self._load(seed=2)

    def _load(self, seed: int) -> Loading:
        with seeded_globally(seed), watch() as written, watch_pickles() as unpickled:
            before = RandomState.now()
            cases = self._cases()
            for index in range(min(3, len(cases))):
                cases[index]
            return Loading(cases, before.changed(), written, unpickled)

    def _cases(self) -> CaseSet:
        try:
            found = self.loaded(self.plugin.load_config()(), self.data)
        except DataAbsentError as error:
            raise NotApplicableError(f"not prepared: {error.what}", hint=error.hint) from error
        if not isinstance(found, CaseSet):
            raise CheckFailedError("it gives no cases", expected="a mrbench.CaseSet", found=type(found).__name__)
        return found


@rule("dataset")
def cases(candidate: DatasetCandidate) -> None:
    """Every case is sound: names, shapes, types, labels below K, finite images, masks of absent raters zero."""
    check_cases(candidate.first.cases)


@rule("dataset")
def same_again(candidate: DatasetCandidate) -> None:
    """Two loads, under other states of the global generators, give the same digest, and so does reading twice."""
    digests = [candidate.ready.cases.compute_digest() for _ in range(2)] + [candidate.second.cases.compute_digest()]
    if len(set(digests)) > 1:
        shown = ", ".join(digest[:12] for digest in digests)
        raise CheckFailedError("the data differ from one reading to the next", expected="one digest", found=shown)


@rule("dataset")
def split_by_subject(candidate: DatasetCandidate) -> None:
    """It has a split named ``strict`` with at least two folds, which splits no subject."""
    found = candidate.ready.cases
    if STRICT not in found.splits:
        named = ", ".join(found.splits) or "no split"
        raise CheckFailedError("it has no split named 'strict'", expected="split_by_subject(...)", found=named)
    split = found.splits[STRICT]
    split.check(found.subjects, owner=candidate.plugin.key)
    if len(split.folds) < 2:
        raise CheckFailedError(
            "its split 'strict' has too few folds", expected="at least 2", found=f"{len(split.folds)}"
        )


@rule("dataset")
def description(candidate: DatasetCandidate) -> None:
    """What it declares of itself survives a round trip as JSON."""
    declared = candidate.ready.cases.description
    again = Description.from_json(json.loads(json.dumps(declared.as_json())))
    if again != declared:
        raise CheckFailedError("the description changes on a round trip", expected=repr(declared), found=repr(again))


@rule("dataset")
def data_random_state(candidate: DatasetCandidate) -> None:
    """Loading leaves the global generators of torch, NumPy and Python as they were."""
    expect_none(candidate.second.disturbed, "loading moves a global generator", "the state that it found")


@rule("dataset")
def data_nothing_written(candidate: DatasetCandidate) -> None:
    """Loading writes, makes, moves or removes no file."""
    expected = "no file; mrbench data prepare is where files are made"
    expect_none(candidate.second.written, "loading writes to a file", expected)


@rule("dataset")
def data_no_pickles(candidate: DatasetCandidate) -> None:
    """Loading unpickles no objects."""
    expected = "HDF5, images, or np.load(..., allow_pickle=False)"
    expect_none(candidate.second.unpickled, "loading unpickles objects", expected)
