import numpy as np
import pytest
import torch

from mrbench.nn.per_rater import PerRater, convolutions
from mrbench.nn.slices import PIXELS_AT_ONCE, as_slices, chunk_length, draws_at_once, from_slices, run_by_slices


@pytest.mark.parametrize("shape", [(2, 5, 6), (2, 4, 5, 6)])
def test_slices_and_back_is_the_identity(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).random(shape, dtype=np.float32)
    slices = as_slices(array)
    assert slices.shape == (shape[1] if len(shape) == 4 else 1, 2, 5, 6)
    assert np.array_equal(from_slices(slices, array.ndim), array)


def test_a_volume_runs_in_chunks_that_bound_the_pixels() -> None:
    seen: list[int] = []

    def network(x: torch.Tensor) -> torch.Tensor:
        seen.append(len(x))
        return x * 2

    volume = np.ones((1, 5, 512, 512), np.float32)
    assert run_by_slices(network, volume, torch.device("cpu")).shape == (5, 1, 512, 512)
    assert seen == [2, 2, 1]
    assert chunk_length(512, 512) * 512 * 512 <= PIXELS_AT_ONCE


def test_a_slice_larger_than_the_bound_still_runs() -> None:
    assert chunk_length(4096, 4096) == 1


def test_each_input_goes_through_the_network_of_its_rater() -> None:
    heads = PerRater(lambda: convolutions(2, 3, 4), raters=3)
    x, rater = torch.randn(4, 2, 5, 5), torch.tensor([0, 0, 2, 2])
    out = heads(x, rater)
    assert out.shape == (4, 4, 5, 5)
    for row, r in enumerate(rater.tolist()):
        assert torch.allclose(out[row], heads.heads[r](x[row : row + 1])[0], atol=1e-6)
    out.sum().backward()
    assert all(p.grad is None for p in heads.heads[1].parameters())


def test_draws_are_computed_a_few_at_a_time_and_one_at_least():
    assert draws_at_once(np.empty((1, 128, 128)), 2) == 8
    assert draws_at_once(np.empty((3, 512, 512)), 2) == 1
    assert draws_at_once(np.empty((1, 400, 64, 64)), 8) == 1, "a volume's probabilities are held for all its slices"
    assert draws_at_once(np.empty((1, 100, 64, 64)), 2) == 20
