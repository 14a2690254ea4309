import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from made_draws import draws as made

from mrbench.data.case import Image
from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.interfaces.draw import DrawKind
from mrbench.interfaces.method import Batch, Method
from mrbench_confusion.matrices import GlobalMatrices, LowRankMatrices, PixelMatrices, start
from mrbench_confusion.method import said

CPU = torch.device("cpu")
RATER = torch.tensor([0, 1, 1])


@pytest.mark.parametrize(
    "matrices",
    [
        GlobalMatrices(2, start(3, 1.0, -5.0)),
        PixelMatrices(2, 4, start(3, 1.0, -5.0)),
        LowRankMatrices(2, 4, 3, 2, 1.0, -5.0),
    ],
)
def test_matrices_start_near_the_identity_with_columns_that_sum_to_one(matrices: torch.nn.Module) -> None:
    found = matrices(torch.zeros(3, 4, 8, 8), RATER)  # features of zero: the last bias alone
    assert found.shape[:3] == (3, 3, 3)
    assert torch.allclose(found.sum(dim=1), torch.ones(()))
    # softplus(1) = 1.3133, softplus(-5) = 0.0067: the diagonal is 1.3133 / (1.3133 + 2 x 0.0067)
    assert found.diagonal(dim1=1, dim2=2).min() > 0.985


def test_with_two_classes_the_start_is_the_papers() -> None:
    matrix = GlobalMatrices(1, start(2, 1.0, -5.0))(torch.zeros(1, 1, 1, 1), torch.tensor([0]))[0, :, :, 0, 0]
    assert torch.allclose(matrix, torch.tensor([[0.9949, 0.0051], [0.0051, 0.9949]]), atol=5e-5)


def test_what_a_rater_says_is_the_matrix_times_the_truth() -> None:
    # The rater misses a quarter of the foreground and marks a tenth of the background.
    matrix = torch.tensor([[0.9, 0.25], [0.1, 0.75]])[None, :, :, None, None]
    truth = torch.tensor([0.2, 0.8])[None, :, None, None].expand(1, 2, 4, 5)
    expected = torch.tensor([0.9 * 0.2 + 0.25 * 0.8, 0.1 * 0.2 + 0.75 * 0.8])
    assert torch.allclose(said(matrix, truth), expected[None, :, None, None].expand(1, 2, 4, 5))


@pytest.mark.parametrize("name", ["cm-global", "cm-pixel"])
def test_terms_on_a_model_whose_outputs_are_known(
    name: str, make_method: Callable[..., Method], make_batch: Callable[..., Batch]
) -> None:
    method = make_method(name, "paper")
    for parameter in method.parameters():
        torch.nn.init.zeros_(parameter)
    terms = method.loss(make_batch())
    # Logits 0: the truth is one half; entries 0: matrices of one half, trace 1.
    assert terms["raters"].item() == pytest.approx(math.log(2), rel=1e-6)
    assert terms["trace"].item() == pytest.approx(0.01 * 1, rel=1e-6)


def test_as_released_gives_every_rater_the_same_and_has_no_matrices(
    make_method: Callable[..., Method], make_batch: Callable[..., Batch]
) -> None:
    method = make_method("cm-pixel", "as_released")
    assert set(dict(method.named_children())) == {"backbone", "truth"}
    assert set(method.loss(make_batch())) == {"raters"}
    image = Image("case", np.random.default_rng(0).random((1, 16, 16), dtype=np.float32))
    draws = made(method, image)
    assert [draw.rater for draw in draws] == [0, 1, 2, 3]
    assert all(np.array_equal(draw.probability, draws[0].probability) for draw in draws)


@pytest.mark.parametrize("name", ["cm-global", "cm-pixel"])
def test_the_consensus_is_the_estimated_truth_and_a_rater_what_the_matrix_makes_of_it(
    name: str, make_method: Callable[..., Method]
) -> None:
    method = make_method(name, "paper").eval()
    torch.nn.init.normal_(method.matrices.entries if name == "cm-global" else method.matrices.heads.heads[1][-1].weight)
    image = np.random.default_rng(0).random((1, 16, 16), dtype=np.float32)
    *raters, consensus = made(method, Image("case", image), gives="raters consensus")
    maps, truth = method.features(torch.from_numpy(image)[None])
    assert consensus.kind is DrawKind.CONSENSUS
    assert np.allclose(consensus.probability, truth[0].detach().numpy(), atol=1e-6)
    matrix = method.matrices(maps, torch.tensor([1]))[0].detach().expand(2, 2, 16, 16).numpy()
    assert np.allclose(raters[1].probability, np.einsum("ijhw,jhw->ihw", matrix, consensus.probability), atol=1e-5)
    assert not np.allclose(raters[1].probability, consensus.probability, atol=1e-3)


def test_known_matrices_are_found_where_raters_err_by_chance(make_method: Callable[..., Method]) -> None:
    # Rater 0 is right; rater 1 drops 40 % of the foreground's pixels, rater 2 marks 30 % of the background's.
    rng = np.random.default_rng(3)
    truth = np.zeros((16, 32, 32), bool)
    for case, (y, x) in enumerate(rng.integers(4, 16, (16, 2))):
        truth[case, y : y + 12, x : x + 12] = True
    masks = np.stack([truth, truth & (rng.random(truth.shape) > 0.4), truth | (rng.random(truth.shape) < 0.3)], axis=1)
    image = torch.from_numpy(truth[:, None].astype(np.float32))
    slices = Slices(image, torch.from_numpy(masks.astype(np.uint8)), torch.ones(16, 3, dtype=torch.bool), 1.0)
    method = make_method("cm-global", raters=3, epochs=60, batch_size=4, matrix_learning_rate=0.05)
    fit(method, slices, None, seed=0, device=CPU)
    found = method.matrices(torch.zeros(3, 1, 1, 1), torch.arange(3))[..., 0, 0].detach().numpy()
    expected = [[[1, 0], [0, 1]], [[1, 0.4], [0, 0.6]], [[0.7, 0], [0.3, 1]]]
    assert np.abs(found - np.array(expected)).max() < 0.06


@pytest.mark.parametrize("rank", [None, 1])
def test_four_cases_are_learnt_by_heart_for_every_rater(
    rank: int | None,
    make_method: Callable[..., Method],
    four_cases: Slices,
    dice_of_own: Callable[..., np.ndarray],
) -> None:
    method = make_method("cm-pixel", epochs=100, batch_size=4, rank=rank)
    fit(method, four_cases, None, seed=0, device=CPU)
    assert dice_of_own(method).min() > 0.95
