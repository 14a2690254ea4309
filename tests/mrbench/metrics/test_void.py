"""Scoring a case with void pixels is scoring the case without these pixels; surfaces take them for background."""

from dataclasses import replace

import numpy as np
import pytest

from mrbench.engine.budgets import first_samples
from mrbench.errors import DataError
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.metrics import PUBLISHED, evaluate
from mrbench.metrics.packing import pack, unpack
from mrbench.metrics.plugin import mrbench_metrics
from mrbench.metrics.protocol import STRICT
from mrbench.metrics.tables import TableBuilder

SURFACE = {card.name for card in mrbench_metrics() if card.code.startswith("mrbench.metrics.surface:")}
N, R, S, SIDE = 3, 4, 5, 14


@pytest.fixture(params=[2, 3])
def made(request):
    """Masks, samples, predictions (probabilities) and where pixels count; nothing is blank where they do not."""
    rng, classes = np.random.default_rng(request.param), request.param
    raters = rng.integers(0, classes, (N, R, SIDE, SIDE))
    samples = rng.dirichlet(np.ones(classes), (N, S, SIDE, SIDE)).transpose(0, 1, 4, 2, 3)
    predictions = rng.dirichlet(np.ones(classes), (N, R, SIDE, SIDE)).transpose(0, 1, 4, 2, 3)
    valid = rng.random((N, SIDE, SIDE)) < 0.7
    present = np.array([[True] * R, [True, False, True, True], [False, True, True, False]])
    return classes, raters, samples, predictions, valid, present


def without(array, valid):
    """The pixels that count, of each case a line."""
    return [case[..., own][..., None, :] for case, own in zip(array, valid, strict=True)]


def values(found):
    return {name: (value.value, value.n_cases, value.by_class) for name, value in found.items()}


@pytest.mark.parametrize("protocol", [STRICT, PUBLISHED], ids=lambda protocol: protocol.name)
def test_every_count_is_of_the_pixels_that_count_alone(made, protocol) -> None:
    classes, raters, samples, predictions, valid, present = made
    rest = [card.name for card in mrbench_metrics() if card.name not in SURFACE]
    said = {"present": present, "classes": classes, "protocol": protocol, "metrics": rest}
    found = evaluate(raters, samples, predictions=predictions, valid=valid, **said)
    alone = evaluate(without(raters, valid), without(samples, valid), predictions=without(predictions, valid), **said)
    assert values(found) == values(alone)
    assert len(found) > 30
    assert values(found) != values(evaluate(raters, samples, predictions=predictions, **said))


def test_a_consensus_is_counted_so_too(made) -> None:
    classes, raters, samples, _, valid, present = made
    rest = [card.name for card in mrbench_metrics() if card.name not in SURFACE]
    said = {"present": present, "classes": classes, "metrics": rest}
    found = evaluate(raters, consensus=samples[:, 0], valid=valid, **said)
    assert values(found) == values(evaluate(without(raters, valid), consensus=without(samples[:, 0], valid), **said))


def test_surfaces_take_void_pixels_for_background(made) -> None:
    classes, raters, samples, predictions, valid, present = made
    labels, own = samples.argmax(axis=2), predictions.argmax(axis=2)
    said = {"present": present, "classes": classes, "metrics": sorted(SURFACE), "spacing": (1.0, 0.5)}
    found = evaluate(raters, labels, predictions=own, valid=valid, **said)
    empty = valid[:, None]
    assert values(found) == values(evaluate(raters * empty, labels * empty, predictions=own * empty, **said))
    assert found


def test_whatever_stands_in_void_pixels_changes_nothing(made) -> None:
    classes, raters, samples, _, valid, present = made
    garbage = np.where(valid[:, None], raters, 255)
    labels = samples.argmax(axis=2)
    own = np.where(valid[:, None], labels, 99)
    said = {"present": present, "classes": classes, "valid": valid}
    assert values(evaluate(raters, labels, **said)) == values(evaluate(garbage, own, **said))


def test_all_pixels_that_count_are_no_valid_at_all(made) -> None:
    classes, raters, samples, _, valid, present = made
    said = {"present": present, "classes": classes}
    every = np.ones_like(valid)
    assert values(evaluate(raters, samples, **said)) == values(evaluate(raters, samples, valid=every, **said))


@pytest.mark.parametrize(
    "valid",
    [np.ones((N, SIDE, SIDE - 1), bool), np.ones((N, SIDE, SIDE), np.uint8), np.zeros((N, SIDE, SIDE), bool)],
    ids=["another size", "no booleans", "nothing counts"],
)
def test_a_wrong_valid_is_refused(made, valid) -> None:
    classes, raters, samples, *_ = made
    with pytest.raises(ValueError, match="case 0: valid must be booleans"):
        evaluate(raters, samples, classes=classes, valid=valid)


def tables_of(made, samples=S):
    classes, raters, drawn, _, valid, present = made
    builder = TableBuilder(raters[0].astype(np.uint8), present[0], classes, None, valid[0])
    for probability in drawn[0][:samples]:
        builder.add(Draw(DrawKind.SAMPLE, probability))
    return builder.finish()


def test_tables_with_void_pixels_come_back_and_others_store_nothing_of_them(made) -> None:
    tables = tables_of(made)
    assert (tables.size, tables.pixels) == (SIDE**2, np.count_nonzero(made[4][0]))
    plain = tables_of((*made[:4], np.ones_like(made[4]), made[5]))
    assert "void" not in pack([plain, plain])
    first, second = unpack(pack([plain, tables]))
    assert (first.void, second.void) == (0, tables.void)
    np.testing.assert_array_equal(second.votes, tables.votes)
    np.testing.assert_array_equal(second.calibration, tables.calibration)
    assert not tables.masks(1, np.arange(S + R))[:, ~made[4][0]].any()


def test_fewer_samples_leave_the_same_pixels_out(made) -> None:
    cut, made_so = first_samples(tables_of(made), 2), tables_of(made, 2)
    np.testing.assert_array_equal(cut.votes, made_so.votes)
    np.testing.assert_array_equal(cut.intersection, made_so.intersection)
    assert cut.pixels == made_so.pixels


@pytest.mark.parametrize("void", [SIDE**2, SIDE**2 + 5, 1])
def test_a_stored_number_of_void_pixels_that_cannot_be_is_refused(made, void) -> None:
    arrays = pack([tables_of(made)]) | {"void": np.array([void])}
    with pytest.raises(DataError, match="stored tables are damaged"):
        unpack(arrays)


def test_a_volume_counts_so_too(made) -> None:
    classes, raters, samples, _, valid, _ = made
    masks, drawn = raters.transpose(1, 0, 2, 3), samples.transpose(1, 2, 0, 3, 4)  # (R, D, H, W), (S, K, D, H, W)
    said = {"classes": classes, "one_case": True, "metrics": ["ged", "ece"]}
    line = evaluate(masks[:, valid][:, None], drawn[..., valid][..., None, :], **said)
    assert values(evaluate(masks, drawn, valid=valid, **said)) == values(line)


def test_replacing_a_table_keeps_its_void_pixels(made) -> None:
    tables = tables_of(made)
    assert replace(tables, bits=None).pixels == tables.pixels
