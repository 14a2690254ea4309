"""Every metric from its definition, in plain loops over masks, against the metrics from tables."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest

from mrbench import metrics
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


VOTES = ("ncc", "ncc_phiseg", "ece_votes", "brier_votes", "crps_area", "auroc_disagreement")


class UncertaintyOracle:
    """One class of one case, pixel by pixel: votes or mean probabilities against the raters' masks."""

    def __init__(self, truth, samples):
        self.truth = [mask.reshape(-1) for mask in truth]
        self.samples = [np.asarray(sample, np.float64).reshape(-1) for sample in samples]
        self.pixels = range(self.truth[0].size)
        self.p = [sum(float(sample[i]) for sample in self.samples) / len(self.samples) for i in self.pixels]
        self.share = [sum(int(mask[i]) for mask in self.truth) / len(self.truth) for i in self.pixels]

    def correlation(self, first, second):
        if len({round(v, 12) for v in first}) == 1 or len({round(v, 12) for v in second}) == 1:
            return None
        a, b = ([v - sum(values) / len(values) for v in values] for values in (first, second))
        covariance = sum(x * y for x, y in zip(a, b, strict=True))
        return covariance / (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5

    def ncc(self):
        theirs = [q * (1 - q) for q in self.share]
        found = self.correlation([p * (1 - p) for p in self.p], theirs)
        return found if found is not None else None if len(set(theirs)) == 1 else 0.0

    def ncc_phiseg(self):
        """As its code: cross-entropies with 1e-8 in the logarithm."""

        def cross_entropy(weights):
            return [
                -np.mean([w * np.log(s[i] + 1e-8) + (1 - w) * np.log(1 - s[i] + 1e-8) for s in self.samples])
                for i, w in enumerate(weights)
            ]

        own = cross_entropy(self.p)
        found = [self.correlation(own, cross_entropy(mask.astype(float))) for mask in self.truth]
        return sum(value or 0.0 for value in found) / len(found)

    def ece(self, bins=15, raters=None):
        raters = self.truth if raters is None else raters
        members = [[] for _ in range(bins)]
        for i in self.pixels:
            place = next(k for k in range(bins) if k == bins - 1 or self.p[i] <= (k + 1) / bins)
            members[place] += [(self.p[i], float(mask[i])) for mask in raters]
        gaps = [abs(np.mean([p - y for p, y in group])) * len(group) for group in members if group]
        return sum(gaps) / (len(self.p) * len(raters))

    def brier(self, raters=None):
        raters = self.truth if raters is None else raters
        return float(np.mean([(self.p[i] - float(mask[i])) ** 2 for mask in raters for i in self.pixels]))

    def brier_share(self):
        return float(np.mean([(p - q) ** 2 for p, q in zip(self.p, self.share, strict=True)]))

    def crps(self):
        drawn, true = ([float(mask.sum()) for mask in masks] for masks in (self.samples, self.truth))
        spread = np.mean([abs(a - b) for a in drawn for b in drawn]) / 2
        return float(np.mean([np.mean([abs(a - y) for a in drawn]) - spread for y in true]))

    def auroc(self):
        entropy = [Fraction(0) if p in {0.0, 1.0} else Fraction(min(p, 1 - p)).limit_denominator(10**6) for p in self.p]
        disagree = [0 < q < 1 for q in self.share]
        pairs = [(a, b) for a, x in zip(entropy, disagree, strict=True) if x
                 for b, y in zip(entropy, disagree, strict=True) if not y]  # fmt: skip
        return sum((a > b) + (a == b) / 2 for a, b in pairs) / len(pairs) if pairs else None

    def values(self):
        found = self.ncc(), self.ncc_phiseg(), self.ece(), self.brier(), self.crps(), self.auroc()
        return dict(zip(VOTES, found, strict=True))


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("seed", range(8))
def test_votes_reproduce_the_definitions_of_uncertainty(seed, classes, every_metric, tabulate_probabilities):
    rng = np.random.default_rng(seed)
    raters, probabilities = random_case(rng, classes)
    truth = np.arange(4) != rng.integers(0, 5)
    tables = tabulate_probabilities(raters, truth, probabilities[:5], [])
    votes_metrics = {name: every_metric[name] for name in VOTES}
    scores = score_case([tables], votes_metrics, STRICT)
    got = {(name, key.label): votes_metrics[name].finalise(value) for (name, key), value in scores.items()}
    for label in range(1, classes):
        oracle = UncertaintyOracle(raters[truth] == label, masks_of(probabilities, label)[:5])
        expected = {name: value for name, value in oracle.values().items() if value is not None}
        assert {name: v for (name, at), v in got.items() if at == label} == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_arrays_reproduce_the_definitions_of_uncertainty(seed):
    rng = np.random.default_rng(seed)
    raters = rng.random((3, 4, 5)) < rng.uniform(0.1, 0.9)
    samples, probabilities = rng.random((6, 4, 5)) < 0.4, rng.random((6, 4, 5)).astype(np.float32)
    votes, means = UncertaintyOracle(raters, samples), UncertaintyOracle(raters, probabilities)
    functions = (
        metrics.ncc,
        metrics.ncc_phiseg,
        metrics.ece,
        metrics.brier,
        metrics.crps_area,
        metrics.auroc_disagreement,
    )
    got = [function(raters, samples) for function in functions]
    assert dict(zip(VOTES, got, strict=True)) == pytest.approx(votes.values(), abs=1e-12)
    for given, oracle in ((samples, votes), (probabilities, means)):
        assert metrics.ece(raters, given, bins=4) == pytest.approx(oracle.ece(4), abs=1e-12)
        assert metrics.brier(raters, given) == pytest.approx(oracle.brier(), abs=1e-12)
        assert metrics.brier_share(raters, given) == pytest.approx(oracle.brier_share(), abs=1e-12)
        assert metrics.auroc_disagreement(raters, given) == pytest.approx(oracle.auroc(), abs=1e-12)
        alone = [[mask] for mask in oracle.truth]
        assert metrics.ece_rater(raters, given) == pytest.approx([oracle.ece(raters=r) for r in alone], abs=1e-12)
        assert metrics.brier_rater(raters, given) == pytest.approx([oracle.brier(r) for r in alone], abs=1e-12)
