"""What a metric says of itself."""

import pytest

from mrbench.cards import Direction, MetricCard, Need

FACTS = {"name": "area", "code": "m:area", "summary": "area", "range": (0.0, 1.0)}


def test_plain_words_become_enumerations_so_that_higher_is_never_taken_for_lower():
    record = MetricCard(direction="higher", needs="samples", **FACTS)
    assert record.direction is Direction.HIGHER
    assert record.needs is Need.SAMPLES


@pytest.mark.parametrize("words", [{"direction": "up", "needs": "samples"}, {"direction": "higher", "needs": "sample"}])
def test_other_words_are_refused(words: dict[str, str]):
    with pytest.raises(ValueError, match="is not a valid"):
        MetricCard(**FACTS, **words)
