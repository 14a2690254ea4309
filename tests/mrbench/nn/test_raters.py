import pytest
import torch

from mrbench.nn.raters import draw_rater, foreground, mask_of, pairs_of

PRESENT = torch.tensor([[True, False, True, True], [False, True, False, False]])


def test_pairs_are_all_present_raters_with_raters_ascending() -> None:
    image, rater = pairs_of(PRESENT)
    assert list(zip(image.tolist(), rater.tolist(), strict=True)) == [(0, 0), (1, 1), (0, 2), (0, 3)]


def test_one_rater_per_image_is_always_a_present_one() -> None:
    seen = set()
    for _ in range(50):
        image, rater = pairs_of(PRESENT, one=True)
        assert sorted(image.tolist()) == [0, 1]
        seen |= set(zip(image.tolist(), rater.tolist(), strict=True))
    assert seen == {(0, 0), (0, 2), (0, 3), (1, 1)}


def test_an_image_without_any_rater_gives_no_pair() -> None:
    image, _ = pairs_of(torch.tensor([[False, False], [True, True]]), one=True)
    assert image.tolist() == [1]


def test_present_raters_are_drawn_uniformly() -> None:
    drawn = draw_rater(PRESENT[:1].expand(6000, -1))
    share = torch.bincount(drawn, minlength=4) / 6000
    assert share[1] == 0
    assert share[[0, 2, 3]].tolist() == pytest.approx([1 / 3] * 3, abs=0.03)


def test_each_image_has_the_mask_of_the_rater_named() -> None:
    masks = torch.arange(2 * 3 * 4).view(2, 3, 2, 2)
    assert torch.equal(mask_of(masks, torch.tensor([2, 0])), torch.stack([masks[0, 2], masks[1, 0]]))


@pytest.mark.parametrize("classes", [2, 4])
def test_indicators_stand_for_the_foreground_classes(classes: int) -> None:
    masks = torch.randint(0, classes, (2, 3, 5, 4))
    found = foreground(masks, classes)
    assert found.shape == (2, 3, classes - 1, 5, 4)
    assert all(torch.equal(found[:, :, k - 1], (masks == k).float()) for k in range(1, classes))
