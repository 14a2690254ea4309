import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import mrbench_unet
from mrbench.data.case import Image
from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.interfaces.method import Batch, Context
from mrbench_unet import PRESETS
from mrbench_unet.config import UNetConfig
from mrbench_unet.method import UNetMajority, UNetRater, majority

CPU = torch.device("cpu")
CONTEXT = Context(seed=0, device=CPU)
Build = Callable[..., UNetMajority | UNetRater]
BOTH = [UNetMajority, UNetRater]


def _votes(*masks: list[int]) -> torch.Tensor:
    return torch.tensor(masks)[None, :, None, :]  # (1, R, 1, W)


def _majority(masks: torch.Tensor, present: list[bool], classes: int = 2) -> list[int]:
    return majority(masks, torch.tensor([present]), classes)[0, 0].tolist()


def _draws(method: UNetMajority | UNetRater, image: Image) -> list[Draw]:
    return list(method.predict(image, 3, CONTEXT))


def _dice(draw: Draw, truth: np.ndarray) -> float:
    mask = draw.probability[1] > 0.5
    return float(2 * (mask & truth).sum() / (mask.sum() + truth.sum()))


def test_plugin_module_and_configuration_load_neither_torch_nor_numpy() -> None:
    code = "import sys, mrbench_unet, mrbench_unet.config; print({'torch', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_records_name_their_classes() -> None:
    rows = {record.name: record for record in mrbench_unet.mrbench_methods()}
    assert rows["unet-majority"].load() is UNetMajority
    assert rows["unet-rater"].load() is UNetRater
    assert rows["unet-majority"].family != rows["unet-rater"].family
    assert mrbench_unet.MRBENCH_API == "1"


def test_paper_is_the_default_and_every_preset_is_a_configuration() -> None:
    assert UNetConfig.parse(PRESETS["paper"], owner="unet") == UNetConfig()
    for record in mrbench_unet.mrbench_methods():
        for preset in record.presets.values():
            UNetConfig.parse(preset, owner=record.name)


def test_majority_of_two_classes_is_half_or_more() -> None:
    masks = _votes([0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0])
    assert _majority(masks, [True] * 4) == [0, 0, 1, 1]
    assert _majority(masks, [True, True, True, False]) == [0, 0, 1, 1]
    assert _majority(masks, [True, True, False, False]) == [0, 1, 1, 1]


def test_majority_ignores_what_stands_in_an_absent_raters_row() -> None:
    present = [True, False, True]
    masks, other = _votes([1, 0], [0, 0], [1, 0]), _votes([1, 0], [1, 1], [1, 0])
    assert _majority(masks, present) == _majority(other, present) == [1, 0]


def test_majority_of_nobody_is_background() -> None:
    assert _majority(_votes([1, 1], [1, 2]), [False, False], classes=3) == [0, 0]


def test_majority_of_many_classes_prefers_foreground_then_the_lowest_label_on_ties() -> None:
    masks = _votes([0, 2, 2, 3], [1, 1, 2, 0], [2, 0, 0, 0])
    assert _majority(masks, [True] * 3, classes=4) == [1, 1, 2, 0]


@pytest.mark.parametrize(
    ("raters", "classes", "shape"), [(2, 2, (1, 16, 16)), (3, 3, (3, 7, 13)), (4, 2, (1, 3, 9, 8))]
)
def test_draws_are_probabilities_on_the_images_grid(
    raters: int, classes: int, shape: tuple[int, ...], build: Build
) -> None:
    image = Image("case", np.random.default_rng(0).random(shape, dtype=np.float32))
    for method, kinds in ((UNetMajority, [DrawKind.CONSENSUS]), (UNetRater, [DrawKind.RATER] * raters)):
        draws = _draws(build(method, raters=raters, classes=classes, channels=shape[0]), image)
        assert [draw.kind for draw in draws] == kinds
        for draw in draws:
            assert draw.probability.shape == (classes, *shape[1:])
            assert np.allclose(draw.probability.sum(axis=0), 1, atol=1e-5)


def test_each_rater_has_a_network_and_a_stage_of_its_own(build: Build) -> None:
    method = build(UNetRater, raters=3)
    stages = method.stages()
    assert [stage.name for stage in stages] == list(method.networks()) == ["rater-0", "rater-1", "rater-2"]
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


@pytest.mark.parametrize("method", BOTH)
def test_an_absent_raters_mask_changes_no_loss(method: type[UNetMajority] | type[UNetRater], build: Build) -> None:
    masks = torch.randint(0, 2, (2, 3, 16, 16))
    present = torch.tensor([[True, False, True], [False, True, True]])
    given = Batch(torch.rand(2, 1, 16, 16), masks, present)
    other = replace(given, masks=torch.where(present[..., None, None], masks, 1 - masks))
    for stage in build(method, raters=3).stages():
        assert {k: v.item() for k, v in stage.loss(given).items()} == {
            k: v.item() for k, v in stage.loss(other).items()
        }


def test_majority_network_learns_four_cases_by_heart(build: Build, four_discs: Slices) -> None:
    method = build(UNetMajority, epochs=100, batch_size=4)
    fit(method, four_discs, None, seed=0, device=CPU)
    truth = majority(four_discs.masks.long(), four_discs.present, 2).numpy() > 0
    for number, array in enumerate(four_discs.image.numpy()):
        assert _dice(_draws(method, Image(str(number), array))[0], truth[number]) > 0.95


def test_rater_networks_learn_four_cases_by_heart_where_each_misses_one(build: Build, four_discs: Slices) -> None:
    present = ~torch.eye(4, dtype=torch.bool)
    slices = replace(four_discs, present=present, masks=four_discs.masks * present[..., None, None])
    method = build(UNetRater, epochs=100, batch_size=4)
    fit(method, slices, None, seed=0, device=CPU)
    for number, array in enumerate(slices.image.numpy()):
        for draw in _draws(method, Image(str(number), array)):
            if draw.rater != number:
                assert _dice(draw, slices.masks[number, draw.rater].numpy() > 0) > 0.95


@pytest.mark.parametrize("method", BOTH)
def test_saved_and_loaded_predicts_the_same(
    method: type[UNetMajority] | type[UNetRater], build: Build, tmp_path: Path
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
