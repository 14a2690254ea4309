import subprocess
import sys

from mrbench.cards import Direction
from mrbench.interfaces.metric import Metric
from mrbench.metrics import PROTOCOLS, plugin, score_case


def test_records_load_without_numpy():
    code = "import sys, mrbench.metrics.plugin as p; p.mrbench_metrics(); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_record_names_a_metric(every_metric):
    assert all(isinstance(metric, Metric) for metric in every_metric.values())


def test_exactly_the_metrics_of_own_predictions_need_identified_raters():
    identified = {record.name for record in plugin.mrbench_metrics() if record.identified}
    assert identified == {"dice_rater", "dice_rater_mean", "rater_identification"}


def test_the_table_shows_what_a_reader_compares():
    shown = [record.name for record in plugin.mrbench_metrics() if record.table]
    assert shown == [
        *("ged", "ged@raters", "dice_soft", "dice_max", "dice_match", "dice_rater", "rater_identification")
    ]


def test_values_lie_in_their_declared_range(squares, tabulate, every_metric):
    records = {record.name: record for record in plugin.mrbench_metrics()}
    raters = squares(0, 4, 8)
    tables = tabulate(raters, samples=squares(16, 2, 0), predictions=enumerate(squares(3, 0, 9)))
    for protocol in PROTOCOLS.values():
        for (name, _), value in score_case([tables], every_metric, protocol).items():
            low, high = records[name].range
            assert low <= every_metric[name].finalise(value) <= high, name


def test_distances_fall_and_agreements_rise():
    for record in plugin.mrbench_metrics():
        parts = record.name in {"ged_pa", "ged_pp", "ged_aa"}
        falls = record.name.startswith(("ged", "hd95", "ece", "brier", "crps"))
        better = Direction.NEITHER if parts else Direction.LOWER if falls else Direction.HIGHER
        assert record.direction is better
