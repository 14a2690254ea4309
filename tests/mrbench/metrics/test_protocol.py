from dataclasses import replace

import pytest

from mrbench.metrics import PROTOCOLS, PUBLISHED, STRICT


def test_strict_and_published_are_known_by_name():
    assert PROTOCOLS == {"strict": STRICT, "published": PUBLISHED}


def test_digest_follows_the_switches_and_not_the_name():
    assert replace(STRICT, name="ours").digest() == STRICT.digest()
    assert STRICT.digest() != PUBLISHED.digest()


@pytest.mark.parametrize("switch", ["empty_iou", "epsilon", "soft", "rater", "by_subject", "ddof"])
def test_every_switch_enters_the_digest(switch):
    assert replace(STRICT, **{switch: getattr(PUBLISHED, switch)}).digest() != STRICT.digest()
