from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_draws import draws as made
from made_draws import noise

from mrbench.data.case import Image
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.nn.gaussian import DiagonalGaussian
from mrbench_proseg.method import ProSeg

Build = Callable[..., ProSeg]
Picture = Callable[..., Image]


BOTH, PRIOR = "samples raters", "samples"


def _draws(proseg: ProSeg, image: Image, n: int, gives: str = BOTH, seed: int = 0) -> list[Draw]:
    return made(proseg, image, n, gives, seed)


def of_row(make_method: Build, gives: str, preset: str = "quick", **options: Any) -> ProSeg:
    row = "proseg" if gives == BOTH else "proseg-prior"
    return make_method(row, preset, **options).eval().requires_grad_(False)


def _same(one: list[Draw], other: list[Draw], tolerance: float = 1e-6) -> bool:
    return all(
        a.kind == b.kind and a.rater == b.rater and np.allclose(a.probability, b.probability, atol=tolerance)
        for a, b in zip(one, other, strict=True)
    )


def test_personalised_row_gives_every_rater_and_exactly_n_samples(make_method: Build, picture: Picture) -> None:
    draws = _draws(of_row(make_method, BOTH), picture(1, 16, 16), 5)
    assert [d.rater for d in draws] == [0, 1, 2, 3, None, None, None, None, None]
    assert [d.kind for d in draws] == [DrawKind.RATER] * 4 + [DrawKind.SAMPLE] * 5


def test_prior_row_gives_exactly_n_samples_and_nothing_else(make_method: Build, picture: Picture) -> None:
    draws = _draws(of_row(make_method, PRIOR), picture(1, 16, 16), 7, PRIOR)
    assert [(d.kind, d.rater) for d in draws] == [(DrawKind.SAMPLE, None)] * 7


def test_more_draws_of_a_rater_come_after_the_first(make_method: Build, picture: Picture) -> None:
    proseg, image = of_row(make_method, BOTH), picture(1, 16, 16)
    more = of_row(make_method, BOTH, draws_per_rater=3)
    more.load_state_dict(proseg.state_dict())
    draws = _draws(more, image, 2)
    assert [d.rater for d in draws] == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3 + [None] * 2
    assert _same(draws[:12:3] + draws[-2:], _draws(proseg, image, 2))


@pytest.mark.parametrize("gives", [BOTH, PRIOR])
def test_draws_depend_on_the_seed_and_the_case_and_not_on_how_many_are_drawn(
    gives: str, make_method: Build, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    proseg, image = of_row(make_method, gives), picture(1, 16, 16)
    draws = _draws(proseg, image, 9, gives)
    assert _same(draws, _draws(proseg, image, 9, gives), tolerance=0)
    assert _same(draws[:-5], _draws(proseg, image, 4, gives))
    assert not _same(draws, _draws(proseg, image, 9, gives, seed=1))
    assert not _same(draws, _draws(proseg, picture(1, 16, 16, name="case-2"), 9, gives))
    monkeypatch.setattr("mrbench.engine.draws.VALUES_AT_ONCE", 1)
    monkeypatch.setattr("mrbench.engine.draws.PIXELS_AT_ONCE", 1)
    assert _same(draws, _draws(proseg, image, 9, gives))


def test_prediction_neither_reads_nor_moves_torchs_generator(make_method: Build, picture: Picture) -> None:
    proseg, image = of_row(make_method, BOTH), picture(1, 16, 16)
    before = torch.get_rng_state()
    draws = _draws(proseg, image, 3)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(99)
    assert _same(draws, _draws(proseg, image, 3), tolerance=0)


@pytest.mark.parametrize("gives", [BOTH, PRIOR])
@pytest.mark.parametrize(
    ("raters", "classes", "shape"),
    [
        (2, 2, (1, 16, 16)),
        (8, 2, (1, 7, 13)),
        (3, 3, (3, 15, 9)),
        (4, 2, (1, 5, 12, 10)),
        (3, 4, (3, 2, 9, 9)),
    ],
)
def test_draws_are_probabilities_on_the_images_grid(
    gives: str, raters: int, classes: int, shape: tuple[int, ...], make_method: Build, picture: Picture
) -> None:
    proseg = of_row(make_method, gives, "paper", raters=raters, classes=classes, channels=shape[0])
    draws = _draws(proseg, picture(*shape), 3, gives)
    assert len(draws) == 3 + (raters if gives == BOTH else 0)
    for draw in draws:
        assert draw.probability.shape == (classes, *shape[1:])
        assert draw.probability.dtype == np.float32
        assert np.allclose(draw.probability.sum(axis=0), 1, atol=1e-5)
        assert (draw.probability >= 0).all()


def test_slices_of_a_volume_share_their_base_noise(make_method: Build, picture: Picture) -> None:
    slice_ = picture(1, 12, 12)
    volume = Image(slice_.id, np.repeat(slice_.array[:, None], 3, axis=1))
    for gives in (BOTH, PRIOR):
        flat, deep = (_draws(proseg, i, 2, gives) for proseg in [of_row(make_method, gives)] for i in (slice_, volume))
        for one, many in zip(flat, deep, strict=True):
            for number in range(3):
                assert np.allclose(many.probability[:, number], one.probability, atol=1e-5)


class Recorder(torch.nn.Module):
    """Stands for the predictor and keeps the vectors that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.vectors: list[torch.Tensor] = []

    def forward(self, maps: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
        self.vectors.append(vectors[:, 0])
        return maps[:, None, :1]


def test_a_rater_is_drawn_around_that_raters_concentration(make_method: Build) -> None:
    proseg = of_row(make_method, BOTH)
    assert proseg.class_embedding is not None
    proseg.predictor = Recorder()
    features, concentration = proseg.features(torch.zeros(1, 1, 4, 4)), proseg.class_embedding.concentration()
    for rater in range(4):
        proseg.as_rater(features, rater, noise(DrawKind.RATER, draws=300, rater=rater))
        mean = proseg.predictor.vectors[rater].mean(dim=0)
        assert (mean - concentration[rater] / concentration[rater].sum()).abs().max() < 0.04


def heads(proseg: ProSeg, draws: int) -> torch.Tensor:
    """Which rater's q(z_r|x) each sample is of, ``(S,)``, where the mean of rater r's is r and has no spread."""
    proseg.predictor, size = Recorder(), (4, 1, 16, 4, 4)
    means = torch.arange(4.0).view(4, 1, 1, 1, 1).expand(size)
    given = noise(draws=draws)
    logits = proseg.sample(DiagonalGaussian(means, torch.full(size, -60.0)), given)
    return logits[:, 0, 0, 0, 0].round().long()


def test_expert_of_a_prior_sample_is_the_classifiers(make_method: Build) -> None:
    proseg = of_row(make_method, PRIOR)
    found = heads(proseg, 20)
    tau = proseg.predictor.vectors[0]
    assert torch.allclose(tau.sum(dim=1), torch.ones(20))
    assert found.tolist() == proseg.classifier(tau).argmax(dim=1).tolist()


def test_expert_of_a_prior_sample_cycles_as_released(make_method: Build) -> None:
    assert heads(of_row(make_method, PRIOR, "as_released"), 6).tolist() == [0, 1, 2, 3, 0, 1]


def test_without_tau_the_expert_of_a_prior_sample_is_any_rater(make_method: Build) -> None:
    share = torch.bincount(heads(of_row(make_method, PRIOR, use_tau=False), 400), minlength=4) / 400
    assert (share - 0.25).abs().max() < 0.1


def test_heads_run_once_per_image_however_many_samples_are_drawn(make_method: Build, picture: Picture) -> None:
    proseg = of_row(make_method, BOTH)
    calls: list[int] = []
    for head in proseg.image_encoder.heads.heads:
        head.register_forward_hook(lambda *_: calls.append(1))
    _draws(proseg, picture(1, 16, 16), 40)
    assert len(calls) == 4


@pytest.mark.parametrize("options", [{"use_tau": False}, {"use_z": False}, {"use_tau": False, "use_z": False}])
@pytest.mark.parametrize("gives", [BOTH, PRIOR])
def test_ablations_draw_from_what_is_left(
    options: dict[str, bool], gives: str, make_method: Build, picture: Picture
) -> None:
    draws = _draws(of_row(make_method, gives, "paper", **options), picture(1, 16, 16), 6, gives)[-6:]
    spread = max(np.abs(draw.probability - draws[0].probability).max() for draw in draws)
    assert (spread < 1e-6) == (len(options) == 2)


def test_saved_and_loaded_predicts_the_same(make_method: Build, picture: Picture, tmp_path: Path) -> None:
    one, image = of_row(make_method, BOTH, "paper"), picture(1, 16, 16)
    torch.manual_seed(3)
    other = of_row(make_method, BOTH, "paper")
    assert not _same(_draws(one, image, 2), _draws(other, image, 2))
    one.save(tmp_path)
    other.load(tmp_path)
    assert _same(_draws(one, image, 2), _draws(other, image, 2), tolerance=0)
