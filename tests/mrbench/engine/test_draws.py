"""A method's answers become draws of whole images: which, how many, of what, whatever the chunks."""

import numpy as np
import pytest
import torch

from mrbench import Case, Config, Description, Method, MethodCard, Probabilities, Raters
from mrbench.data.case import Image
from mrbench.engine import draws as module
from mrbench.engine.draws import Source, draws_of
from mrbench.engine.predict import Predictor
from mrbench.errors import DivergedError, PluginError
from mrbench.interfaces.draw import DrawKind

RATERS = 3
VALUES = np.random.default_rng(0).normal(size=(1, 5, 4, 6)).astype(np.float32)
VOLUME, IMAGE = Image("volume", VALUES), Image("image", VALUES[:, 0])
CASE = Case("case", "subject", VALUES[:, 0], np.ones((RATERS, 4, 6), np.uint8), np.array([True, False, True]))


def description(classes: int = 2) -> Description:
    return Description(
        name="x",
        version="1",
        classes=("no", "yes", "very")[:classes],
        channels=("c",),
        raters=Raters.IDENTIFIED,
        rater_names=("a", "b", "c"),
    )


class Plain(Method):
    """Logits are the image, moved by the rater's number and by noise."""

    rater_draws = 2

    def __init__(self, classes: int = 2):
        super().__init__(Config(), description(classes))
        self.seen: list[tuple[str, int, int]] = []
        self.modes: list[tuple[bool, bool]] = []

    def features(self, x):
        return self.told(x, "features", 0)

    def sample(self, features, noise):
        return self.told(features, "sample", noise.draws) + noise.normal("z")[..., None, None, None]

    def as_rater(self, features, rater, noise):
        return self.told(features, "as_rater", noise.draws) + noise.normal("z")[..., None, None, None] + 10 * rater

    def consensus(self, features, noise):
        return self.told(features, "consensus", noise.draws)[None]

    def told(self, tensor, name, draws):
        self.seen.append((name, draws, len(tensor)))
        self.modes.append((self.training, torch.is_grad_enabled()))
        return tensor


class OfRaters(Plain):
    """Samples of random raters."""

    sample = Method.sample


class Certain(Plain):
    """Draws nothing."""

    def as_rater(self, features, rater, noise):
        return (features + 10 * rater)[None]


class CertainSamples(Certain):
    sample = Method.sample


def source(method: Method, gives: str, seed: int = 1) -> Source:
    return Source(method, MethodCard(name="m", code="a:b", gives=gives), seed, torch.device("cpu"))


def drawn(method: Method, gives: str, n: int = 3, image: Image = IMAGE, seed: int = 1):
    return list(draws_of(source(method, gives, seed), image, n))


def logit(draw) -> np.ndarray:
    return np.log(draw.probability[1] / draw.probability[0])


def shifts(draws, image: Image = IMAGE) -> list[float]:
    """By how much each draw's logits lie above the image, the same everywhere."""
    found = [logit(draw) - image.array[0] for draw in draws]
    assert all(np.ptp(one) < 1e-3 for one in found)
    return [float(one.mean()) for one in found]


def test_the_card_says_which_answers_are_drawn_raters_before_samples_before_the_consensus():
    kinds = [(draw.kind, draw.rater) for draw in drawn(Plain(), "consensus samples raters")]
    raters = [(DrawKind.RATER, r) for r in range(RATERS) for _ in range(2)]
    assert kinds == [*raters, *[(DrawKind.SAMPLE, None)] * 3, (DrawKind.CONSENSUS, None)]
    assert [draw.kind for draw in drawn(Plain(), "samples")] == [DrawKind.SAMPLE] * 3


def test_a_consensus_is_the_logits_as_probabilities():
    (draw,) = drawn(Plain(), "consensus")
    np.testing.assert_allclose(draw.probability[1], 1 / (1 + np.exp(-IMAGE.array[0])), rtol=1e-5)
    np.testing.assert_allclose(draw.probability.sum(0), 1, rtol=1e-6)


def test_logits_of_three_classes_become_their_softmax_and_probabilities_stay():
    class Three(Plain):
        def consensus(self, features, noise):
            return torch.cat([0 * features, features, 2 * features], dim=1)[None]

    class Soft(Three):
        def consensus(self, features, noise):
            return Probabilities(super().consensus(features, noise).softmax(dim=2))

    powers = np.exp(np.stack([0 * IMAGE.array[0], IMAGE.array[0], 2 * IMAGE.array[0]]))
    for method in (Three(3), Soft(3)):
        (draw,) = drawn(method, "consensus")
        np.testing.assert_allclose(draw.probability, powers / powers.sum(0), rtol=1e-5)


def test_a_rater_is_asked_for_by_column_and_has_rows_of_noise_of_its_own():
    moved = shifts(drawn(Plain(), "raters"))
    assert [round(value / 10) for value in moved[::2]] == [0, 1, 2]
    own = [value - 10 * (number // 2) for number, value in enumerate(moved)]
    assert len({round(value, 3) for value in own}) == 6


def test_where_nothing_is_drawn_a_rater_has_one_draw():
    assert shifts(drawn(Certain(), "raters")) == pytest.approx([0, 10, 20], abs=1e-4)


def test_draws_are_rows_of_standard_normal_noise():
    moved = np.array(shifts(drawn(Plain(), "samples", 400)))
    assert abs(moved.mean()) < 4 / 20
    assert abs(moved.var() - 1) < 4 * np.sqrt(2 / 400)


def test_seed_and_case_move_every_draw_and_their_number_none():
    first = shifts(drawn(Plain(), "samples", 4))
    assert shifts(drawn(Plain(), "samples", 9))[:4] == pytest.approx(first)
    for other in (
        shifts(drawn(Plain(), "samples", 4, seed=2)),
        shifts(drawn(Plain(), "samples", 4, Image("other", IMAGE.array))),
    ):
        assert min(abs(a - b) for a, b in zip(first, other, strict=True)) > 1e-3


def test_a_volume_keeps_its_slices_in_order_and_shares_its_noise():
    draws = drawn(Plain(), "samples consensus", 2, VOLUME)
    assert [draw.probability.shape for draw in draws] == [(2, 5, 4, 6)] * 3
    *samples, consensus = shifts(draws, VOLUME)
    assert consensus == pytest.approx(0, abs=1e-4)
    assert samples == pytest.approx(shifts(drawn(Plain(), "samples", 2, Image("volume", IMAGE.array))), abs=1e-4)


@pytest.mark.parametrize("pixels", [1, 24, 50, 10**6])
def test_chunks_bound_what_is_computed_together_and_change_nothing(pixels: int, monkeypatch: pytest.MonkeyPatch):
    gives = "samples raters consensus"
    whole = drawn(Plain(), gives, 5, VOLUME)
    monkeypatch.setattr(module, "PIXELS_AT_ONCE", pixels)
    method = Plain()
    parts = drawn(method, gives, 5, VOLUME)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one.probability, other.probability, atol=1e-6)
    at_once = [max(draws, 1) * slices for _, draws, slices in method.seen]
    assert max(at_once) <= max(1, pixels // 24)


def test_features_are_computed_once_for_every_slice():
    method = Plain()
    drawn(method, "samples raters consensus", 7, VOLUME)
    assert [slices for name, _, slices in method.seen if name == "features"] == [5]


def test_every_answer_is_asked_for_in_evaluation_mode_without_gradients_and_the_caller_keeps_its_own():
    method = Plain()
    for _ in draws_of(source(method, "samples raters consensus"), IMAGE, 3):
        assert torch.is_grad_enabled()
        method.train()
    assert set(method.modes) == {(False, False)}


def test_without_a_sample_a_rater_is_drawn_uniformly_for_each_one():
    moved = shifts(drawn(OfRaters(), "samples", 600))
    raters = [round(value / 10) for value in moved]
    assert [abs(raters.count(r) - 200) < 4 * np.sqrt(600 * 2 / 9) for r in range(RATERS)] == [True] * 3
    own = np.array(moved) - 10 * np.array(raters)
    assert abs(own.var() - 1) < 4 * np.sqrt(2 / 600)
    assert len({round(value, 4) for value in own}) > 590, "each sample has a row of its own"


def test_samples_of_random_raters_do_not_depend_on_their_number_nor_on_what_is_held(monkeypatch: pytest.MonkeyPatch):
    whole = shifts(drawn(OfRaters(), "samples", 20))
    assert shifts(drawn(OfRaters(), "samples", 7)) == pytest.approx(whole[:7])
    monkeypatch.setattr(module, "VALUES_AT_ONCE", 100)
    assert shifts(drawn(OfRaters(), "samples", 20)) == pytest.approx(whole)


def test_samples_of_raters_who_draw_nothing_are_refused():
    with pytest.raises(PluginError, match=r"^method 'm', case 'image': as_rater\(\) is not .*test_draws.py") as error:
        drawn(CertainSamples(), "samples", 4)
    assert error.value.expected == "answers drawn from noise, for samples of random raters"


def test_an_answer_of_a_wrong_shape_names_method_case_and_line():
    class Flat(Plain):
        def as_rater(self, features, rater, noise):
            return features

    line = Flat.as_rater.__code__.co_firstlineno
    with pytest.raises(PluginError) as error:
        drawn(Flat(), "raters")
    assert error.value.what == "method 'm', case 'image': as_rater() has a wrong shape (S, N, L, H, W)"
    assert error.value.place.endswith(f"test_draws.py:{line}")
    assert error.value.expected == "(1, 1, 1, 4, 6) float logits"
    assert error.value.found == "(1, 1, 4, 6); nothing was drawn from noise"


def test_an_answer_that_the_class_does_not_define_is_told():
    for gives, said in (("samples", "gives no raters"), ("raters", "gives no raters"), ("consensus", "no consensus")):
        with pytest.raises(PluginError, match=said):
            drawn(Method(Config(), description()), gives)


# What the harness counts


def predict(method: Method, gives: str, samples: int = 2):
    return Predictor.of_method(method.description, samples, source(method, gives)).predict(CASE)


def test_what_is_drawn_is_counted_against_the_present_raters():
    (kept,) = predict(Plain(), "samples raters")
    assert kept.tables.n_samples == 2
    assert kept.tables.truth.tolist() == [True, False, True]
    assert kept.tables.predicted_rater.tolist() == [0, 0, 1, 1, 2, 2]
    assert kept.packed.shape == (8, 1, 3)


def test_a_method_never_sees_masks():
    class Curious(Plain):
        def features(self, x):
            self.shape = x.shape
            return super().features(x)

    method = Curious()
    predict(method, "consensus")
    assert method.shape == (1, 1, 4, 6)
    assert set(vars(CASE.without_masks())) == {"id", "array", "spacing"}


@pytest.mark.parametrize(
    ("answer", "gives", "error", "message"),
    [
        (lambda x: Probabilities(0.9 + 0 * torch.cat([x, x], 2)), "consensus", PluginError, "not probabilities"),
        (lambda x: Probabilities(torch.cat([x - 9, 10 - x], 2)), "consensus", PluginError, "not probabilities"),
        (lambda x: x * torch.nan, "consensus", DivergedError, "non-finite probabilities"),
        (lambda x: x, "samples", PluginError, "wrong number of samples"),
        (lambda x: x, "", PluginError, "the method returned nothing"),
    ],
)
def test_what_is_no_draw_names_method_case_rule_and_line(answer, gives: str, error: type, message: str):
    class Wrong(Plain):
        def consensus(self, features, noise):
            return answer(features[None])

        sample = consensus

    with pytest.raises(error, match=rf"^method 'm', case 'case': {message} \(.*test_draws.py:\d+\)"):
        predict(Wrong(), gives)


def test_non_finite_probabilities_are_counted():
    class Diverged(Plain):
        def consensus(self, features, noise):
            return features[None] * float("nan")

    with pytest.raises(DivergedError) as error:
        predict(Diverged(), "consensus")
    assert error.value.found == "48 of 48 values are NaN or infinite"
