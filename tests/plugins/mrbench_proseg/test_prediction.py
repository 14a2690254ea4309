from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from mrbench.data.case import Image
from mrbench.engine.draws import draws_of
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.interfaces.method import Context
from mrbench_proseg.method import ProSeg

Build = Callable[..., ProSeg]
Picture = Callable[..., Image]


def _context(sampler: str = "posterior", seed: int = 0) -> Context:
    return Context(seed=seed, device=torch.device("cpu"), sampler=sampler)


def _draws(proseg: ProSeg, image: Image, n: int, sampler: str = "posterior", seed: int = 0) -> list[Draw]:
    return list(draws_of(proseg, image, n, _context(sampler, seed)))


def _frozen(proseg: ProSeg) -> ProSeg:
    return proseg.requires_grad_(False)


def _same(one: list[Draw], other: list[Draw], tolerance: float = 1e-6) -> bool:
    return all(
        a.kind == b.kind and a.rater == b.rater and np.allclose(a.probability, b.probability, atol=tolerance)
        for a, b in zip(one, other, strict=True)
    )


def test_personalised_row_gives_every_rater_and_exactly_n_samples(build: Build, picture: Picture) -> None:
    draws = _draws(build(), picture(1, 16, 16), 5)
    assert [d.rater for d in draws] == [0, 1, 2, 3, None, None, None, None, None]
    assert [d.kind for d in draws] == [DrawKind.RATER] * 4 + [DrawKind.SAMPLE] * 5


def test_prior_row_gives_exactly_n_samples_and_nothing_else(build: Build, picture: Picture) -> None:
    draws = _draws(build(), picture(1, 16, 16), 7, "prior")
    assert [(d.kind, d.rater) for d in draws] == [(DrawKind.SAMPLE, None)] * 7


def test_more_draws_per_rater_come_after_the_first_of_everybody(build: Build, picture: Picture) -> None:
    proseg, image = build(), picture(1, 16, 16)
    more = build(draws_per_rater=3)
    more.load_state_dict(proseg.state_dict())
    draws = _draws(more, image, 2)
    assert [d.rater for d in draws] == [0, 1, 2, 3] * 3 + [None] * 2
    assert _same(draws[:4] + draws[-2:], _draws(proseg, image, 2))


@pytest.mark.parametrize("sampler", ["posterior", "prior"])
def test_draws_depend_on_the_seed_and_the_case_and_not_on_how_many_are_drawn(
    sampler: str, build: Build, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    proseg, image = build(), picture(1, 16, 16)
    draws = _draws(proseg, image, 9, sampler)
    assert _same(draws, _draws(proseg, image, 9, sampler), tolerance=0)
    assert _same(draws[:-5], _draws(proseg, image, 4, sampler))
    assert not _same(draws, _draws(proseg, image, 9, sampler, seed=1))
    assert not _same(draws, _draws(proseg, picture(1, 16, 16, name="case-2"), 9, sampler))
    monkeypatch.setattr("mrbench.nn.slices.VALUES_AT_ONCE", 1)
    assert _same(draws, _draws(proseg, image, 9, sampler))


def test_prediction_neither_reads_nor_moves_torchs_generator(build: Build, picture: Picture) -> None:
    proseg, image = build(), picture(1, 16, 16)
    before = torch.get_rng_state()
    draws = _draws(proseg, image, 3)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(99)
    assert _same(draws, _draws(proseg, image, 3), tolerance=0)


@pytest.mark.parametrize("sampler", ["posterior", "prior"])
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
    sampler: str, raters: int, classes: int, shape: tuple[int, ...], build: Build, picture: Picture
) -> None:
    proseg = build("paper", raters=raters, classes=classes, channels=shape[0])
    draws = _draws(proseg, picture(*shape), 3, sampler)
    assert len(draws) == 3 + (raters if sampler == "posterior" else 0)
    for draw in draws:
        assert draw.probability.shape == (classes, *shape[1:])
        assert draw.probability.dtype == np.float32
        assert np.allclose(draw.probability.sum(axis=0), 1, atol=1e-5)
        assert (draw.probability >= 0).all()


def test_slices_of_a_volume_share_their_base_noise(build: Build, picture: Picture) -> None:
    slice_ = picture(1, 12, 12)
    volume = Image(slice_.id, np.repeat(slice_.array[:, None], 3, axis=1))
    for sampler in ("posterior", "prior"):
        flat, deep = (_draws(proseg, i, 2, sampler) for proseg in [build()] for i in (slice_, volume))
        for one, many in zip(flat, deep, strict=True):
            for number in range(3):
                assert np.allclose(many.probability[:, number], one.probability, atol=1e-5)


def test_samples_take_their_raters_uniformly(build: Build, picture: Picture) -> None:
    plan = list(_frozen(build())._plan(picture(1, 4, 4), 400, _context()))[4:]
    share = np.bincount([draw.head for draw in plan], minlength=4) / 400
    assert np.abs(share - 0.25).max() < 0.1


def test_samples_of_a_rater_spread_around_that_raters_concentration(build: Build, picture: Picture) -> None:
    proseg = _frozen(build())
    assert proseg.class_embedding is not None
    plan = list(proseg._plan(picture(1, 4, 4), 1200, _context()))[4:]
    concentration = proseg.class_embedding.concentration().detach().numpy()
    for rater in range(4):
        mean = np.mean([draw.tau for draw in plan if draw.head == rater], axis=0)
        assert np.abs(mean - concentration[rater] / concentration[rater].sum()).max() < 0.04


def test_expert_of_a_prior_sample_is_the_classifiers(build: Build, picture: Picture) -> None:
    proseg = _frozen(build())
    assert proseg.classifier is not None
    for draw in proseg._plan(picture(1, 4, 4), 20, _context("prior")):
        assert draw.tau.sum() == pytest.approx(1, abs=1e-5)
        assert draw.head == int(proseg.classifier(torch.from_numpy(draw.tau)).argmax())


def test_expert_of_a_prior_sample_cycles_as_released(build: Build, picture: Picture) -> None:
    plan = _frozen(build("as_released"))._plan(picture(1, 4, 4), 6, _context("prior"))
    assert [draw.head for draw in plan] == [0, 1, 2, 3, 0, 1]


def test_heads_run_once_per_image_however_many_samples_are_drawn(build: Build, picture: Picture) -> None:
    proseg = build()
    calls: list[int] = []
    for head in proseg.image_encoder.heads.heads:
        head.register_forward_hook(lambda *_: calls.append(1))
    _draws(proseg, picture(1, 16, 16), 40)
    assert len(calls) == 4


@pytest.mark.parametrize("options", [{"use_tau": False}, {"use_z": False}, {"use_tau": False, "use_z": False}])
@pytest.mark.parametrize("sampler", ["posterior", "prior"])
def test_ablations_draw_from_what_is_left(
    options: dict[str, bool], sampler: str, build: Build, picture: Picture
) -> None:
    draws = _draws(build("paper", **options), picture(1, 16, 16), 6, sampler)[-6:]
    spread = max(np.abs(draw.probability - draws[0].probability).max() for draw in draws)
    assert (spread < 1e-6) == (len(options) == 2)


def test_saved_and_loaded_predicts_the_same(build: Build, picture: Picture, tmp_path: Path) -> None:
    one, image = build("paper"), picture(1, 16, 16)
    torch.manual_seed(3)
    other = build("paper")
    assert not _same(_draws(one, image, 2), _draws(other, image, 2))
    one.save(tmp_path)
    other.load(tmp_path)
    assert _same(_draws(one, image, 2), _draws(other, image, 2), tolerance=0)
