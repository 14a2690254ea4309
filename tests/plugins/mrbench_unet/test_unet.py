import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made_draws import draws as made

import mrbench_unet
from mrbench.data.case import Image
from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.interfaces.method import Batch
from mrbench_unet.method import UNetConsensus, UNetMajority, UNetRater, UNetStaple

CPU = torch.device("cpu")
Build = Callable[..., UNetConsensus | UNetRater]
METHODS = [UNetMajority, UNetStaple, UNetRater]


def _masks(*masks: list[int]) -> np.ndarray:
    return np.array(masks, np.uint8)[None, :, None, :]  # (1, R, 1, W)


def _label(method: UNetConsensus, masks: np.ndarray, present: list[bool]) -> list[int]:
    return method.fuse(masks, np.array([present]))[0, 0].tolist()


def _draws(method: UNetConsensus | UNetRater, image: Image) -> list[Draw]:
    return made(method, image, 3, "raters" if isinstance(method, UNetRater) else "consensus")


def _dice(draw: Draw, truth: np.ndarray) -> float:
    mask = draw.probability[1] > 0.5
    return float(2 * (mask & truth).sum() / (mask.sum() + truth.sum()))


def test_plugin_module_and_configuration_load_neither_torch_nor_numpy() -> None:
    code = "import sys, mrbench_unet, mrbench_unet.config; print({'torch', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_records_name_their_classes() -> None:
    rows = {record.name: record for record in mrbench_unet.mrbench_methods()}
    assert rows["unet-majority"].load() is UNetMajority
    assert rows["unet-staple"].load() is UNetStaple
    assert rows["unet-rater"].load() is UNetRater
    assert all(row.family == row.name for row in rows.values())
    assert mrbench_unet.MRBENCH_API == "2"


def test_majority_of_two_classes_is_half_or_more(build: Build) -> None:
    masks = _masks([0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0])
    assert _label(build(UNetMajority), masks, [True] * 4) == [0, 0, 1, 1]
    assert _label(build(UNetMajority), masks, [True, True, False, False]) == [0, 1, 1, 1]


def test_majority_of_many_classes_prefers_foreground_then_the_lowest_label_on_ties(build: Build) -> None:
    masks = _masks([0, 2, 2, 3], [1, 1, 2, 0], [2, 0, 0, 0])
    assert _label(build(UNetMajority, classes=4), masks, [True] * 3) == [1, 1, 2, 0]


def test_two_of_five_raters_are_enough_for_the_staple_of_a_small_mark(build: Build) -> None:
    # Of 1000 pixels ten have all marks, two those of raters 0 and 1, two that of rater 2. The shares sum to 11.2: the
    # prior is 0.0112, and the first M step has p_0 = p_1 = 10.8 / 11.2, p_2 = 10.4 / 11.2, p_3 = p_4 = 10 / 11.2 and
    # 1 - q_0 = 1.2 / 988.8: for two marks f (10.8 / 11.2)^2 (0.8 / 11.2) (1.2 / 11.2)^2 = 8.5e-6 stands against
    # (1.2 / 988.8)^2 = 1.5e-6, and more so ever after; for one mark 1.5e-7 against 1.6e-3.
    masks = np.zeros((1, 5, 1, 1000), np.uint8)
    masks[0, :, 0, :10] = 1
    masks[0, :2, 0, 10:12] = 1
    masks[0, 2, 0, 12:14] = 1
    majority, staple = (_label(build(method, raters=5), masks, [True] * 5) for method in (UNetMajority, UNetStaple))
    assert majority == [1] * 10 + [0] * 990
    assert staple == [1] * 12 + [0] * 988


@pytest.mark.parametrize("method", [UNetMajority, UNetStaple])
@pytest.mark.parametrize("classes", [2, 3])
def test_an_absent_raters_mask_changes_no_label(method: type[UNetConsensus], classes: int, build: Build) -> None:
    masks = np.random.default_rng(0).integers(0, classes, (3, 4, 8, 8), np.uint8)
    present = np.array([[True, True, False, True], [False, True, True, True], [True, False, False, False]])
    other = np.where(present[..., None, None], masks, 200).astype(np.uint8)
    labels = build(method, classes=classes).fuse(masks, present)
    assert labels.shape == (3, 8, 8)
    assert np.array_equal(build(method, classes=classes).fuse(other, present), labels)
    assert np.array_equal(labels[2], masks[2, 0])


@pytest.mark.parametrize(
    ("raters", "classes", "shape"), [(2, 2, (1, 16, 16)), (3, 3, (3, 7, 13)), (4, 2, (1, 3, 9, 8))]
)
def test_draws_are_probabilities_on_the_images_grid(
    raters: int, classes: int, shape: tuple[int, ...], build: Build
) -> None:
    image = Image("case", np.random.default_rng(0).random(shape, dtype=np.float32))
    one = [DrawKind.CONSENSUS]
    for method, kinds in ((UNetMajority, one), (UNetStaple, one), (UNetRater, [DrawKind.RATER] * raters)):
        draws = _draws(build(method, raters=raters, classes=classes, channels=shape[0]), image)
        assert [draw.kind for draw in draws] == kinds
        for draw in draws:
            assert draw.probability.shape == (classes, *shape[1:])
            assert np.allclose(draw.probability.sum(axis=0), 1, atol=1e-5)


def test_each_rater_has_a_network_and_a_stage_of_its_own(build: Build) -> None:
    method = build(UNetRater, raters=3)
    stages = method.stages()
    assert [stage.name for stage in stages] == list(dict(method.named_children())) == ["rater-0", "rater-1", "rater-2"]
    trained = [{id(p) for group in stage.groups for p in group.parameters} for stage in stages]
    assert not trained[0] & trained[1]
    assert not trained[1] & trained[2]


def test_a_raters_stage_uses_the_images_that_the_rater_looked_at(build: Build) -> None:
    present = np.array([[True, False], [True, True], [False, True]])
    first, second = (stage.uses for stage in build(UNetRater, raters=2).stages())
    assert first is not None
    assert second is not None
    assert first(present).tolist() == [True, True, False]
    assert second(present).tolist() == [False, True, True]


def test_an_absent_raters_mask_changes_no_loss(build: Build) -> None:
    masks = torch.randint(0, 2, (2, 3, 16, 16))
    present = torch.tensor([[True, False, True], [False, True, True]])
    given = Batch(torch.rand(2, 1, 16, 16), masks, present, torch.ones(2, 16, 16, dtype=torch.bool))
    other = replace(given, masks=torch.where(present[..., None, None], masks, 1 - masks))
    for stage in build(UNetRater, raters=3).stages():
        assert {k: v.item() for k, v in stage.loss(given).items()} == {
            k: v.item() for k, v in stage.loss(other).items()
        }


@pytest.mark.parametrize("method", METHODS)
def test_networks_are_as_large_as_counted_by_hand(method: type[UNetConsensus] | type[UNetRater], build: Build) -> None:
    # Widths 8, 16, 32 down; 32 + 16 -> 16 and 16 + 8 -> 16 up; 3x3 convolutions without bias, two norm parameters each.
    convolutions = [(1, 8), (8, 16), (16, 32), (48, 16), (24, 16)]
    one = sum(9 * a * b + 2 * b for a, b in convolutions) + 16 + 1
    networks = list(build(method).children())
    assert [sum(p.numel() for p in network.parameters()) for network in networks] == [one] * len(networks)


@pytest.mark.parametrize("method", [UNetMajority, UNetStaple])
def test_consensus_network_learns_four_cases_by_heart(
    method: type[UNetConsensus], build: Build, four_discs: Slices
) -> None:
    one = build(method, epochs=100, batch_size=4)
    fit(one, four_discs, None, seed=0, device=CPU)
    truth = one.fuse(four_discs.masks.numpy(), four_discs.present.numpy()) > 0
    for number, array in enumerate(four_discs.image.numpy()):
        assert _dice(_draws(one, Image(str(number), array))[0], truth[number]) > 0.95


def test_rater_networks_learn_four_cases_by_heart_where_each_misses_one(build: Build, four_discs: Slices) -> None:
    present = ~torch.eye(4, dtype=torch.bool)
    slices = replace(four_discs, present=present, masks=four_discs.masks * present[..., None, None])
    method = build(UNetRater, epochs=100, batch_size=4)
    fit(method, slices, None, seed=0, device=CPU)
    for number, array in enumerate(slices.image.numpy()):
        for draw in _draws(method, Image(str(number), array)):
            if draw.rater != number:
                assert _dice(draw, slices.masks[number, draw.rater].numpy() > 0) > 0.95


@pytest.mark.parametrize("method", METHODS)
def test_saved_and_loaded_predicts_the_same(
    method: type[UNetConsensus] | type[UNetRater], build: Build, tmp_path: Path
) -> None:
    image = Image("case", np.random.default_rng(0).random((1, 16, 16), dtype=np.float32))
    one = build(method)
    torch.manual_seed(3)
    other = build(method)
    one.save(tmp_path)
    assert any(
        not np.array_equal(a.probability, b.probability)
        for a, b in zip(_draws(one, image), _draws(other, image), strict=True)
    )
    other.load(tmp_path)
    for a, b in zip(_draws(one, image), _draws(other, image), strict=True):
        assert np.array_equal(a.probability, b.probability)
