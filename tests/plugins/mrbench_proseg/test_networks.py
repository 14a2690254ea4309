from collections.abc import Callable

import pytest
import torch
from torch import nn

from mrbench_proseg.method import ClassEmbedding, ProSeg


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _children(proseg: ProSeg) -> set[str]:
    return set(dict(proseg.named_children()))


def test_parameter_counts_are_the_released_models(build: Callable[..., ProSeg]) -> None:
    proseg = build("paper", tiny=False)
    assert _count(proseg.image_encoder.backbone) == 24_429_952
    assert _count(proseg.image_encoder.heads) == 64_832
    assert _count(proseg.predictor) == 689
    assert proseg.image_decoder is not None
    assert _count(proseg.image_decoder.heads) == 16_256
    assert proseg.classifier is not None
    assert _count(proseg.classifier) == 8 * 32 + 32 + 32 * 4 + 4
    assert proseg.class_embedding is not None
    assert _count(proseg.class_embedding) == 4 * 8


def test_first_concentrations_mark_each_raters_own_dimensions() -> None:
    concentration = ClassEmbedding(4, 8).concentration()
    own = torch.tensor([1.0, 0, 0, 0, 1, 0, 0, 0]).bool()
    for rater in range(4):
        assert torch.allclose(concentration[rater][own.roll(rater)], torch.tensor(1.3133), atol=1e-4)
        assert torch.allclose(concentration[rater][~own.roll(rater)], torch.tensor(0.7444), atol=1e-4)


def test_first_rows_generalise_to_other_numbers_of_raters() -> None:
    rows = ClassEmbedding(3, 8).rows
    assert (rows == 1).nonzero().tolist() == [[0, 0], [0, 3], [0, 6], [1, 1], [1, 4], [1, 7], [2, 2], [2, 5]]


@pytest.mark.parametrize(("raters", "size"), [(2, 8), (8, 8), (9, 9), (12, 12)])
def test_tau_has_eight_dimensions_or_as_many_as_raters(build: Callable[..., ProSeg], raters: int, size: int) -> None:
    proseg = build(raters=raters)
    assert proseg.class_embedding is not None
    assert proseg.class_embedding.concentration().shape == (raters, size)


def test_ablations_leave_their_modules_out(build: Callable[..., ProSeg]) -> None:
    paper = {"class_embedding", "image_encoder", "predictor", "image_decoder", "classifier"}
    assert _children(build("paper")) == paper
    assert _children(build("paper", use_tau=False)) == paper - {"class_embedding", "classifier"}
    assert _children(build("paper", use_z=False)) == paper - {"image_decoder"}
    assert _children(build("quick")) == paper - {"image_decoder"}


def test_every_parameter_of_the_paper_is_trained_once(build: Callable[..., ProSeg]) -> None:
    proseg = build("paper")
    (stage,) = proseg.stages()
    trained = [id(p) for group in stage.groups for p in group.parameters]
    owned = [id(p) for p in proseg.parameters()]
    assert sorted(trained) == sorted(owned)


def test_released_learning_rates_are_higher_for_class_embedding_and_classifier(build: Callable[..., ProSeg]) -> None:
    proseg = build("as_released")
    (stage,) = proseg.stages()
    names = {id(parameter): name.partition(".")[0] for name, parameter in proseg.named_parameters()}
    rates = {names[id(p)]: group.learning_rate for group in stage.groups for p in group.parameters}
    assert {name for name, rate in rates.items() if rate == 2e-3} == {"class_embedding", "classifier"}
    assert {rate for name, rate in rates.items() if rate != 2e-3} == {5e-5}
    assert stage.batch_size == 16
