"""What a method's card says of its samples, with its options and as a wrapper's member."""

from mrbench.cards import Capability, MethodCard
from mrbench.engine.wrapping import row_card

TURNS = Capability.TAKES_TURNS


def card(**said) -> MethodCard:
    return MethodCard(name="x", code="x:X", gives="samples", **said)


def test_samples_are_independent_draws_unless_the_card_says_otherwise():
    assert TURNS not in card().capabilities_with({"a": 1})
    assert TURNS in card(takes_turns=True).capabilities_with({})


def test_samples_may_take_turns_under_some_values_of_the_options_alone():
    some = card(takes_turns={"expert": "cycle"})
    assert TURNS not in some.capabilities
    assert TURNS in some.capabilities_with({"expert": "cycle", "a": 1})
    for options in ({"expert": "drawn"}, {}):
        assert some.capabilities_with(options) == some.capabilities


def test_views_of_a_wrapper_take_turns_and_samples_that_it_makes_are_draws():
    for gives, turns in (("", True), ("samples", False)):
        wrapper = MethodCard(name="w", code="w:W", wraps=True, gives=gives)
        assert (TURNS in row_card(wrapper, card()).capabilities) is turns
