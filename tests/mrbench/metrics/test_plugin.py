import subprocess
import sys

from mrbench.cards import Direction
from mrbench.metrics import PROTOCOLS, plugin, score_case


def test_numpy_is_loaded_where_cards_of_metrics_are_asked_for_and_nowhere_else():
    code = (
        "import sys; from mrbench.registry import discover; discover(kinds=['method', 'dataset']);"
        "assert 'numpy' not in sys.modules; discover(); assert 'numpy' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_card_names_the_metric_that_it_is_the_card_of():
    cards = plugin.mrbench_metrics()
    assert len({card.name for card in cards}) == len(cards) == 46
    assert all(card.load().__mrbench_card__ is card for card in cards)


def test_every_metric_says_what_it_is_and_what_it_does_on_empty_masks(every_metric):
    assert all(metric.__doc__ and metric.__mrbench_card__.empty for metric in every_metric.values())


def test_exactly_the_metrics_of_own_predictions_and_of_a_panel_need_identified_raters():
    identified = {card.name for card in plugin.mrbench_metrics() if card.identified}
    assert identified == {"dice_rater", "dice_rater_mean", "rater_identification", "ged_unbiased_panel"}


def test_a_rank_is_no_person():
    own = {"dice_rater", "dice_rater_mean", "rater_identification", "dice_rank"}
    found = {
        raters: {card.name for card in plugin.mrbench_metrics() if card.means(raters)} & own
        for raters in ("identified", "ranked", "exchangeable")
    }
    assert found == {"identified": own - {"dice_rank"}, "ranked": {"dice_rank"}, "exchangeable": set()}


def test_the_dice_of_a_rank_is_that_of_a_rater(squares, tabulate, every_metric):
    tables = tabulate(squares(2, 8), predictions=enumerate(squares(2, 4)))
    for protocol in PROTOCOLS.values():
        own, ranked = (every_metric[name](tables, protocol) for name in ("dice_rater", "dice_rank"))
        assert own == ranked


def test_the_table_shows_what_a_reader_compares():
    shown = [card.name for card in plugin.mrbench_metrics() if card.table]
    assert shown == [
        *("ged", "ged_unbiased", "ged_unbiased_panel", "ged_pa", "ged_pp_unbiased", "ged_aa_unbiased", "ged@raters"),
        *("dice_soft", "dice_max", "dice_match", "dice_rater", "dice_rank", "rater_identification"),
    ]


def test_values_lie_in_their_declared_range(squares, tabulate, every_metric):
    cards = {card.name: card for card in plugin.mrbench_metrics()}
    raters = squares(0, 4, 8)
    tables = tabulate(raters, samples=squares(16, 2, 0), predictions=enumerate(squares(3, 0, 9)))
    for protocol in PROTOCOLS.values():
        for (name, _), value in score_case([tables], every_metric, protocol).items():
            low, high = cards[name].range
            assert low <= every_metric[name].finalise(value) <= high, name


def test_distances_fall_and_agreements_rise():
    for card in plugin.mrbench_metrics():
        neither = {"ged_pa", "ged_pp", "ged_aa", "ged_pp_unbiased", "ged_aa_unbiased"}
        neither |= {"brier_uncertainty", "rank_histogram_area"}
        falls = card.name.startswith(("ged", "hd95", "ece", "brier", "crps")) and card.name != "brier_resolution"
        better = Direction.NEITHER if card.name in neither else Direction.LOWER if falls else Direction.HIGHER
        assert card.direction is better
