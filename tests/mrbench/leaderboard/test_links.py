"""Links to papers and released codes: of what is installed alone, and of every built-in method that has one."""

import pickle

import pytest
from synthetic_board import registry

from mrbench.cards import MethodCard, MetricCard
from mrbench.errors import PluginError
from mrbench.leaderboard.links import LINKS, links_of

OURS = {"leave-one-out", "level-sets", "majority-vote", "marginals", "oracle-raters", "random-rater"}
"""Of this project."""

THESIS = {"per-rater", "per-rater-2"}
"""Not public."""


def test_every_built_in_method_has_a_link_but_those_that_have_none_anywhere():
    built_in = {plugin.key for plugin in registry().plugins["method"] if ":" not in plugin.key}
    assert set(LINKS) | OURS | THESIS == built_in
    assert not set(LINKS) & (OURS | THESIS)


def test_every_link_is_a_paper_or_code_at_a_safe_address():
    for links in LINKS.values():
        assert "paper" in links
        assert set(links) <= {"paper", "code"}
        assert all(address.startswith("https://") for address in links.values())


def test_a_card_says_its_own_links_first_and_what_is_not_installed_has_none():
    own = MethodCard(name="tab", code="x:X", links={"paper": "https://doi.org/1"})
    assert links_of(own, "tab") == {"paper": "https://doi.org/1"}
    assert links_of(MethodCard(name="tab", code="x:X"), "tab") == LINKS["tab"]
    assert links_of(MethodCard(name="mine", code="x:X"), "mine") == {}
    assert links_of(None, "tab") == {}


@pytest.mark.parametrize(
    "links",
    [{"paper": "javascript:alert(1)"}, {"paper": "http://a"}, {"home": "https://a"}, {"code": "data:text/html,"}],
)
def test_a_link_that_is_none_is_refused(links):
    with pytest.raises(PluginError, match=r"the card of 'x' has a link that is none"):
        MethodCard(name="x", code="x:X", links=links)


def test_cards_of_metrics_with_links_can_be_hashed_and_sent_to_another_process():
    said = {"name": "m", "code": "x:X", "direction": "higher", "range": (0.0, 1.0), "needs": "samples"}
    assert hash(MetricCard(**said)) == hash(MetricCard(**said, links={"paper": "https://a"}))
    assert pickle.loads(pickle.dumps(MetricCard(**said))) == MetricCard(**said)
