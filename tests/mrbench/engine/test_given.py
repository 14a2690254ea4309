"""What a card says a method gives, its class must define."""

import pytest

from mrbench import Method, MethodCard
from mrbench.engine.given import check_given, defined
from mrbench.errors import PluginError


class Sampler(Method):
    def sample(self, features, noise): ...


class Person(Method):
    def as_rater(self, features, rater, noise): ...


class Both(Sampler, Person): ...


class Single(Method):
    def consensus(self, features, noise): ...


class FirstEdition(Method):
    def predict(self, image, n, context): ...


class Moved(Sampler):
    def predict(self): ...


def check(method: type, gives: str) -> None:
    check_given(method, MethodCard(name="m", code="a:b", gives=gives))


def test_the_answers_of_a_class_are_those_of_its_bases_too():
    assert [defined(one) for one in (Method, Sampler, Person, Both, Single, object)] == [
        [], ["sample"], ["as_rater"], ["sample", "as_rater"], ["consensus"], []
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "gives"),
    [
        (Sampler, "samples"),
        (Person, "raters"),
        (Person, "samples raters"),
        (Both, "raters samples"),
        (Single, "consensus"),
        (Both, "samples"),
        (Moved, "samples"),
    ],
)
def test_a_class_that_defines_what_its_card_gives_is_taken(method: type, gives: str):
    check(method, gives)


@pytest.mark.parametrize(
    ("method", "gives", "word", "expected", "found"),
    [
        (Sampler, "samples raters", "raters", "as_rater()", "sample()"),
        (Single, "samples", "samples", "sample() or as_rater()", "consensus()"),
        (Both, "samples consensus", "consensus", "consensus()", "sample(), as_rater()"),
        (Method, "consensus", "consensus", "consensus()", "no answer"),
    ],
)
def test_a_class_that_lacks_an_answer_is_refused(method: type, gives: str, word: str, expected: str, found: str):
    with pytest.raises(PluginError) as error:
        check(method, gives)
    assert error.value.message == (
        f"{method.__name__} does not give {word}, as the card of 'm' says\n  expected: {expected}\n  found:    {found}"
    )


def test_a_class_of_the_first_edition_is_told_where_to_read_how_to_move():
    with pytest.raises(PluginError, match=r"^FirstEdition is of the first edition .* \(.*test_given.py:\d+\)") as error:
        check(FirstEdition, "samples consensus")
    assert error.value.expected == "sample(), consensus()"
    assert error.value.hint == "docs/moving.md says how to move"
