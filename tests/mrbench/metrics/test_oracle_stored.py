"""Metrics of masks and mean probabilities from their definitions, in plain loops, against those from what is stored."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from mrbench.engine.budgets import first_samples
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.metrics import PUBLISHED, STRICT, TableBuilder, pack, score_case, unpack
from mrbench.metrics.calibration import BINS

SPACING = (0.7, 1.3)
OWNERS = (0, 1, 2, 3, 0, 2)


class Case:
    """4 raters, of whom maybe one is not the truth; 5 samples and 6 rater predictions, some certain, some empty."""

    def __init__(self, seed, classes):
        rng = np.random.default_rng(seed)
        shape = (4, 5)
        self.classes, self.truth = classes, np.arange(4) != rng.integers(0, 5)
        sparse = rng.random((4, *shape)) < rng.choice([0.0, 0.5, 0.9], (4, 1, 1))
        self.raters = rng.integers(0, classes, (4, *shape)) * sparse
        probabilities = np.moveaxis(rng.dirichlet(np.ones(classes), (11, *shape)).astype(np.float32), -1, 1)
        empty = np.broadcast_to(np.eye(classes, dtype=np.float32)[0][:, None, None], probabilities.shape[1:])
        probabilities[rng.random(11) < 0.2] = empty
        self.samples, self.predictions = probabilities[:5], probabilities[5:]

    def tables(self):
        builder = TableBuilder(self.raters.astype(np.uint8), self.truth, self.classes, SPACING)
        for probability in self.samples:
            builder.add(Draw(DrawKind.SAMPLE, probability))
        for rater, probability in zip(OWNERS, self.predictions, strict=True):
            builder.add(Draw(DrawKind.RATER, probability, rater))
        return builder.finish()

    def marks(self, label):
        return {int(r): (self.raters[r] == label).reshape(-1) for r in np.flatnonzero(self.truth)}

    def mask(self, probability, label):
        return probability[1] > 0.5 if self.classes == 2 else probability.argmax(axis=0) == label

    def of_rater(self, rater):
        return [p.astype(np.float64) for owner, p in zip(OWNERS, self.predictions, strict=True) if owner == rater]


def ece(p, marks):
    total = 0.0
    for bin_ in range(BINS):
        inside = [(q, mark) for q, mark in zip(p, marks, strict=True) if bin_of(q) == bin_]
        total += abs(sum(q for q, _ in inside) - sum(mark for _, mark in inside))
    return total / len(p)


def bin_of(p):
    return sum(p > k / BINS for k in range(1, BINS))


def brier(p, marks):
    return sum((q - mark) ** 2 for q, mark in zip(p, marks, strict=True)) / len(p)


def boundary(mask):
    """Marked pixels with a neighbour across an edge that is not, or that lies outside."""
    inside = {at for at in product(*map(range, mask.shape)) if mask[at]}
    steps = [(0, 1), (0, -1), (1, 0), (-1, 0)]
    return [(y, x) for y, x in sorted(inside) if any((y + dy, x + dx) not in inside for dy, dx in steps)]


def directed(first, second):
    """Distances in mm of each point of one boundary to the nearest one of the other."""
    return [
        min(np.hypot(*((a - b) * mm for a, b, mm in zip(p, q, SPACING, strict=True))) for q in second) for p in first
    ]


def hd95(a, b):
    if not a.any() or not b.any():
        return 0.0 if a.any() == b.any() else float(np.hypot(*(n * mm for n, mm in zip(a.shape, SPACING, strict=True))))
    first, second = boundary(a), boundary(b)
    return max(np.percentile(directed(first, second), 95), np.percentile(directed(second, first), 95))


def nsd(a, b, tolerance):
    if not a.any() or not b.any():
        return float(a.any() == b.any())
    distances = directed(boundary(a), boundary(b)) + directed(boundary(b), boundary(a))
    return float(np.mean([d <= tolerance for d in distances]))


def dice(a, b, epsilon):
    total = int(a.sum() + b.sum())
    return 1.0 if total == 0 else (2 * (a & b).sum() + epsilon) / (total + epsilon)


def expected_values(case, label, protocol):
    """{(metric, rater or None): value} of one class."""
    marks = case.marks(label)
    p = np.mean(case.samples[:, label].astype(np.float64), axis=0).reshape(-1)
    firsts = np.mean([case.of_rater(r)[0][label] for r in range(4)], axis=0).reshape(-1)
    pooled = [mark for marked in marks.values() for mark in marked]
    share = [Fraction(int(n), len(marks)) for n in np.sum(list(marks.values()), axis=0)]
    found = {
        ("ece", None): ece(np.tile(p, len(marks)), pooled),
        ("ece@raters", None): ece(np.tile(firsts, len(marks)), pooled),
        ("brier", None): brier(np.tile(p, len(marks)), pooled),
        ("brier@raters", None): brier(np.tile(firsts, len(marks)), pooled),
        ("brier_share", None): brier(p, map(float, share)),
    }
    for rater, marked in marks.items():
        own, truth = case.of_rater(rater), marked.reshape(4, 5)
        masks = [case.mask(q, label) for q in own]
        found |= {
            ("ece_rater", rater): ece(p, marked),
            ("brier_rater", rater): brier(p, marked),
            ("hd95", rater): np.mean([hd95(mask, truth) for mask in masks]),
            ("nsd@1", rater): np.mean([nsd(mask, truth, 1) for mask in masks]),
            ("nsd@2", rater): np.mean([nsd(mask, truth, 2) for mask in masks]),
            ("dice_rater_mean", rater): dice(case.mask(np.mean(own, axis=0), label), truth, protocol.epsilon),
        }
    return found


@pytest.mark.parametrize("protocol", [STRICT, PUBLISHED], ids=lambda protocol: protocol.name)
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("seed", range(8))
def test_stored_counts_reproduce_the_definitions(seed, classes, protocol, every_metric):
    case = Case(seed, classes)
    tables = case.tables()
    got = {
        (name, key.label, key.rater): every_metric[name].finalise(value)
        for (name, key), value in score_case([tables], every_metric, protocol).items()
    }
    for label in range(1, classes):
        expected = {(name, label, r): value for (name, r), value in expected_values(case, label, protocol).items()}
        assert {at: got[at] for at in expected} == pytest.approx(expected, abs=1e-12)
        assert len(expected) >= 5 + 3 * 6


def test_stored_counts_score_as_they_did_before_they_were_stored(every_metric):
    tables = Case(1, 3).tables()
    counted = {name: metric for name, metric in every_metric.items() if name not in {"hd95", "nsd@1", "nsd@2"}}
    before, (back,) = score_case([tables], counted, STRICT), unpack(pack([tables]))
    after = score_case([back], every_metric, STRICT)
    assert {at: value.tolist() for at, value in after.items()} == {at: value.tolist() for at, value in before.items()}


@pytest.mark.parametrize("n", [1, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_a_smaller_budget_scores_as_a_prediction_of_that_size(seed, n, every_metric):
    case = Case(seed, 3)
    budget = score_case([first_samples(case.tables(), n)], every_metric, STRICT)
    case.samples = case.samples[:n]
    alone = score_case([case.tables()], every_metric, STRICT)
    of_probabilities = {"dice_soft_prob", "ece", "ece_rater", "brier", "brier_rater", "brier_share"}
    of_probabilities |= {"brier_reliability", "brier_resolution", "brier_uncertainty"}
    missing = {name for name, _ in alone} - {name for name, _ in budget}
    assert missing == (of_probabilities if n < 5 else set())
    # Classes that only later samples mark are gone too.
    kept = {at: value.tolist() for at, value in alone.items() if at[0] not in missing}
    assert {at: value.tolist() for at, value in budget.items()} == kept
