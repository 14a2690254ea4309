"""Level sets: their marginals, their nesting and their edges in closed form."""

import pytest
import torch

from mrbench.nn.level_sets import level_sets


def labels(probability: list[float], levels: list[float]) -> list[int]:
    # Of one pixel
    maps = torch.tensor(probability, dtype=torch.float64).view(1, -1, 1, 1)
    return level_sets(maps, torch.tensor(levels, dtype=torch.float64)[:, None]).argmax(dim=2).flatten().tolist()


@pytest.mark.parametrize("probability", [[0.75, 0.25], [0.5, 0.2, 0.3], [0.0, 0.1, 0.6, 0.3], [1.0, 0.0], [0.0, 1.0]])
def test_each_class_has_its_share_of_evenly_spaced_levels(probability: list[float]) -> None:
    levels = [(i + 0.5) / 1000 for i in range(1000)]
    found = labels(probability, levels)
    assert [found.count(k) / 1000 for k in range(len(probability))] == pytest.approx(probability)


@pytest.mark.parametrize("raters", [2, 3, 4, 16])
def test_rank_r_of_two_classes_is_p_above_one_minus_r_less_one_half_over_all(raters: int) -> None:
    for p in (0.01, 0.3, 0.49, 0.8, 0.99):
        found = labels([1 - p, p], [(r - 0.5) / raters for r in range(1, raters + 1)])
        assert found == [int(p > 1 - (r - 0.5) / raters) for r in range(1, raters + 1)]
        assert found == sorted(found)


def test_masks_of_two_levels_are_nested_and_a_level_is_one_for_all_pixels() -> None:
    p = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    probability = torch.cat([1 - p, p], dim=1)
    masks = level_sets(probability, torch.tensor([[0.2, 0.6], [0.7, 0.9]]))[:, :, 1]
    assert masks.shape == (2, 2, 8, 8)
    assert (masks[0] <= masks[1]).all()
    assert torch.equal(masks[0, 1], (p[1, 0] > 0.4).float())


def test_masks_are_one_hot_of_the_probabilitys_type() -> None:
    probability = torch.rand(1, 3, 4, 4).softmax(dim=1).half()
    found = level_sets(probability, torch.rand(5, 1))
    assert found.dtype == torch.float16
    assert torch.equal(found.sum(dim=2), torch.ones(5, 1, 4, 4, dtype=torch.float16))
