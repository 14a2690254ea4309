"""A wrapper's draws from draws that are known: turns, means, and views that there are not."""

from types import SimpleNamespace

import numpy as np
import pytest

from mrbench.cards import Capability, MethodCard
from mrbench.data.case import Image
from mrbench.engine.views import ViewedAnswers, WrappedSource
from mrbench.engine.wrapping import row_card
from mrbench.errors import PluginError
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.interfaces.wrapper import View, Wrapper

CARD = MethodCard(name="made", code="a:b", gives="samples raters consensus")
IMAGE = Image("case", np.zeros((1, 2, 3), np.float32))


def filled(value: float) -> np.ndarray:
    return np.stack([np.full((2, 3), 1 - value), np.full((2, 3), value)]).astype(np.float32)


class Told:
    """Answers whose numbers say what was asked: sample i is base + i / 100, rater r is base + r / 10."""

    def __init__(self, base: float) -> None:
        self.base = base

    def samples(self, numbers):
        yield from (Draw(DrawKind.SAMPLE, filled(self.base + number / 100)) for number in numbers)

    def raters(self):
        yield from (Draw(DrawKind.RATER, filled(self.base + rater / 10), rater) for rater in range(2))

    def consensus(self):
        yield Draw(DrawKind.CONSENSUS, filled(self.base))


def values(draws) -> list[float]:
    return [round(float(draw.probability[1, 0, 0]), 6) for draw in draws]


def test_samples_take_turns_and_keep_their_numbers():
    answers = ViewedAnswers([View(0), View(1), View(2)], [Told(0.1), Told(0.2), Told(0.3)])
    assert values(answers.samples(range(5))) == [0.10, 0.21, 0.32, 0.13, 0.24]
    assert values(answers.samples([4, 0])) == [0.24, 0.10]


def test_raters_and_the_consensus_are_means():
    answers = ViewedAnswers([View(0), View(1)], [Told(0.1), Told(0.3)])
    found = list(answers.raters())
    assert values(found) == [0.2, 0.3]
    assert [draw.rater for draw in found] == [0, 1]
    assert values(answers.consensus()) == [0.2]


def test_what_a_view_saw_is_brought_back_before_the_mean():
    def right(array):
        return array[..., ::-1]

    class Half(Told):
        def consensus(self):
            probability = filled(0)
            probability[:, :, 0] = [[0, 0], [1, 1]]
            yield Draw(DrawKind.CONSENSUS, probability)

    (draw,) = ViewedAnswers([View(), View(back=right)], [Half(0), Half(0)]).consensus()
    assert draw.probability[1].tolist() == [[0.5, 0, 0.5]] * 2
    assert draw.probability.sum(axis=0).tolist() == [[1, 1, 1]] * 2


@pytest.mark.parametrize("views", [[], [View(2)], [View(0), View(-1)]])
def test_a_wrapper_that_names_no_training_is_told_of_with_its_line(views: list[View]):
    class Wrong(Wrapper):
        def views(self, shape):
            return views

    members = [SimpleNamespace(answers=lambda image: Told(0))] * 2
    with pytest.raises(PluginError, match=r"'made', case 'case': views\(\) names trainings.*test_views.py:") as error:
        WrappedSource(Wrong(None, None), CARD, members).answers(IMAGE)
    assert error.value.expected == "one view or more, each of a member 0..1"


def test_a_row_gives_and_takes_what_its_member_does():
    member = MethodCard(name="of", code="a:b", gives="raters", multi_class=False, volumes=False, requires=("torch",))
    card = row_card(MethodCard(name="wrapper", code="a:b", wraps=True), member)
    assert card.capabilities == member.capabilities | {Capability.TAKES_TURNS}, "views are asked in turn"
    assert (card.name, card.requires) == ("wrapper", ("torch",))


@pytest.mark.parametrize("more", [{"gives": "raters"}, {"gives": "samples consensus"}, {"kind": "fusion"}])
def test_a_card_that_wraps_says_not_what_it_gives_unless_it_makes_samples(more: dict[str, str]):
    with pytest.raises(PluginError, match="wraps others and says what it gives"):
        MethodCard(name="wrapper", code="a:b", wraps=True, **more)


class Doubled(Wrapper):
    """Sample i is twice the mean of three, plus its noise, kept below one."""

    mean_of = 3

    def views(self, shape):
        return [View()]

    def sample(self, mean, noise):
        level = noise.uniform("level").numpy()[:, :, None]  # (S, 1, 1)
        foreground = np.minimum(2 * mean[1] + level / 1000, 1)
        return np.stack([1 - foreground, foreground], axis=1)


def made(gives: str, base: float = 0.1) -> list[float]:
    member = SimpleNamespace(
        answers=lambda image: Told(base), card=MethodCard(name="of", code="a:b", gives=gives), seed=0
    )
    answers = WrappedSource(Doubled(None, None), CARD, [member]).answers(IMAGE)
    assert not [*answers.raters(), *answers.consensus()]
    first, *others = values(answers.samples(range(4)))
    assert len({first, *others}) == 4
    assert values(answers.samples([0])) == [first]
    assert values(answers.samples([2, 1])) == [others[1], others[0]]
    return [first, *others]


def test_samples_are_made_of_the_mean_of_samples_else_raters_else_the_consensus():
    # Samples .10 .11 .12, raters .1 .2, consensus .1
    for gives, mean in (("samples raters", 0.11), ("raters consensus", 0.15), ("consensus", 0.1)):
        assert made(gives) == pytest.approx([2 * mean] * 4, abs=1e-3)


def test_a_row_that_makes_samples_gives_no_more():
    member = MethodCard(name="of", code="a:b", gives="raters consensus", multi_class=False)
    card = row_card(MethodCard(name="wrapper", code="a:b", wraps=True, gives="samples"), member)
    assert card.gives == "samples"
    assert not card.multi_class


def test_a_wrapper_that_makes_no_samples_says_so():
    class Plain(Wrapper):
        def views(self, shape):
            return [View()]

    with pytest.raises(PluginError, match="Plain makes no samples"):
        Plain(None, None).sample(IMAGE.array, None)
