"""Every metric from its definition, in plain loops over masks, against the metrics from tables."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest

from mrbench.metrics import PUBLISHED, STRICT, score_case


class Oracle:
    """One class of one case: masks as boolean arrays, no tables."""

    def __init__(self, truth, samples, draws, probabilities, protocol):
        self.truth, self.samples, self.draws, self.protocol = truth, samples, draws, protocol
        self.firsts = {rater: masks[0] for rater, masks in draws.items()}
        self.probabilities = probabilities

    def iou(self, a, b):
        union = (a | b).sum()
        return self.protocol.empty_iou if union == 0 else (a & b).sum() / (union + self.protocol.epsilon)

    def dice(self, a, b):
        total, epsilon = int(a.sum() + b.sum()), self.protocol.epsilon
        return 1.0 if total == 0 else (2 * (a & b).sum() + epsilon) / (total + epsilon)

    def distance(self, first, second):
        return float(np.mean([1 - self.iou(a, b) for a in first for b in second]))

    def ged(self, samples):
        raters = list(self.truth.values())
        parts = self.distance(samples, raters), self.distance(samples, samples), self.distance(raters, raters)
        return 2 * parts[0] - parts[1] - parts[2], *parts

    def unbiased(self, samples):
        def among(masks):
            return np.mean([1 - self.iou(a, b) for i, a in enumerate(masks) for j, b in enumerate(masks) if i != j])

        raters = list(self.truth.values())
        return 2 * self.distance(samples, raters) - among(samples) - among(raters)

    def best(self, samples, axis):
        return float(np.max(self.matrix(samples), axis=axis).mean())

    def matrix(self, samples):
        return np.array([[self.dice(s, r) for r in self.truth.values()] for s in samples])

    def matched(self, samples):
        matrix, columns = self.matrix(samples), range(len(self.truth))
        rows = max(permutations(range(len(samples)), len(columns)), key=lambda p: sum(matrix[p, columns]))
        return matrix[rows, columns]

    def soft(self, share):
        values = []
        for tenths in (1, 3, 5, 7, 9):
            raters = np.sum(list(self.truth.values()), axis=0)
            b = np.array([Fraction(int(v), len(self.truth)) > Fraction(tenths, 10) for v in raters.flat])
            values.append(self.dice(share(tenths), b))
        return float(np.mean(values))

    def votes(self, samples):
        votes = np.sum(samples, axis=0)
        return lambda tenths: np.array([Fraction(int(v), len(samples)) > Fraction(tenths, 10) for v in votes.flat])

    def mean_probability(self):
        return lambda tenths: np.mean(self.probabilities, axis=0).reshape(-1) > tenths / 10

    def by_rater(self, measure):
        return {r: np.mean([measure(m, self.truth[r]) for m in self.draws[r]]) for r in self.truth if r in self.draws}

    def identified(self, rater):
        scores = {r: self.dice(mask, self.truth[rater]) for r, mask in self.firsts.items()}
        best = [r for r, value in scores.items() if value == max(scores.values())]
        return 1 / len(best) if rater in best else 0.0

    def set_values(self):
        total, pa, pp, aa = self.ged(self.samples)
        firsts = [self.firsts[rater] for rater in sorted(self.firsts)]
        soft, soft_raters = self.soft(self.votes(self.samples)), self.soft(self.votes(firsts))
        probability = self.soft(self.mean_probability())
        strict = self.protocol is STRICT
        return {
            "ged": total,
            "ged_pa": pa,
            "ged_pp": pp,
            "ged_aa": aa,
            "ged_unbiased": self.unbiased(self.samples),
            "ged@raters": self.ged(firsts)[0],
            "dice_soft": soft if strict else probability,
            "dice_soft_prob": probability,
            **({"dice_soft@raters": soft_raters} if strict else {}),
            "dice_max": self.best(self.samples, 0),
            "dice_max_reverse": self.best(self.samples, 1),
            "dice_max@raters": self.best(firsts, 0),
            "dice_match": float(self.matched(self.samples).mean()),
            "dice_match@raters": float(self.matched(firsts).mean()),
        }

    def rater_values(self):
        values = {"iou": self.by_rater(self.iou)}
        if self.protocol is STRICT:
            values["dice_rater"] = self.by_rater(self.dice)
            values["rater_identification"] = {rater: self.identified(rater) for rater in self.truth}
        return values


def random_case(rng, classes):
    """Labels of 4 raters (one of them not the truth), probabilities of 5 samples and of 6 rater predictions."""
    shape = (4, 5)
    raters = rng.integers(0, classes, (4, *shape)) * (rng.random((4, *shape)) < rng.choice([0.0, 0.5, 0.9], (4, 1, 1)))
    probabilities = rng.dirichlet(np.ones(classes), (11, *shape)).astype(np.float32)
    probabilities[rng.random(11) < 0.2] = np.eye(classes, dtype=np.float32)[0]
    return raters, np.moveaxis(probabilities, -1, 1)


def masks_of(probabilities, label):
    return probabilities[:, 1] > 0.5 if probabilities.shape[1] == 2 else probabilities.argmax(axis=1) == label


@pytest.mark.parametrize("protocol", [STRICT, PUBLISHED], ids=lambda protocol: protocol.name)
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("seed", range(8))
def test_tables_reproduce_the_definitions(seed, classes, protocol, suite, tabulate_probabilities):
    rng = np.random.default_rng(seed)
    raters, probabilities = random_case(rng, classes)
    truth = np.arange(4) != rng.integers(0, 5)
    owners = [0, 1, 2, 3, 0, 2]
    tables = tabulate_probabilities(raters, truth, probabilities[:5], zip(owners, probabilities[5:], strict=True))
    scores = score_case([tables], suite, protocol)

    compared = 0
    for label in range(1, classes):
        masks = masks_of(probabilities, label)
        draws = {r: [masks[5 + i] for i, owner in enumerate(owners) if owner == r] for r in range(4)}
        marked = {r: raters[r] == label for r in np.flatnonzero(truth)}
        oracle = Oracle(marked, masks[:5], draws, probabilities[:5, label].astype(np.float64), protocol)
        expected = {(name, label, None): value for name, value in oracle.set_values().items()}
        for name, values in oracle.rater_values().items():
            expected |= {(name, label, rater): value for rater, value in values.items()}
        got = {(name, key.label, key.rater): value.item() for (name, key), value in scores.items()}
        assert {at: got[at] for at in expected} == pytest.approx(expected, abs=1e-12)
        if protocol is PUBLISHED:
            # Several assignments can be the best: which one is found decides on each rater, but not on their mean.
            matched = [value for (name, at, _), value in got.items() if (name, at) == ("dice_rater", label)]
            assert np.mean(matched) == pytest.approx(expected["dice_match@raters", label, None], abs=1e-12)
        compared += len(expected)
    assert compared >= 13 + 3


@pytest.fixture
def tabulate_probabilities():
    from mrbench.interfaces.draw import Draw, DrawKind
    from mrbench.metrics import TableBuilder

    def tabulate(raters, truth, samples, predictions):
        builder = TableBuilder(raters.astype(np.uint8), truth, samples.shape[1])
        for probability in samples:
            builder.add(Draw(DrawKind.SAMPLE, probability))
        for rater, probability in predictions:
            builder.add(Draw(DrawKind.RATER, probability, rater))
        return builder.finish()

    return tabulate
