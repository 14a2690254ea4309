"""The switches, one at a time."""

from dataclasses import asdict, fields

from mrbench.compare.switches import ALL, SWITCHES, switches
from mrbench.metrics.protocol import PUBLISHED, STRICT


def changed(switch) -> dict[str, object]:
    strict = asdict(STRICT)
    return {n: v for n, v in asdict(switch.protocol).items() if n != "name" and v != strict[n]}


def test_each_switch_takes_its_fields_from_published_and_leaves_the_others():
    for switch in SWITCHES:
        assert changed(switch)
        assert changed(switch).items() <= asdict(PUBLISHED).items()


def test_together_they_are_published_and_no_field_is_in_two():
    names = [name for switch in SWITCHES for name in changed(switch)]
    assert sorted(names) == sorted(field.name for field in fields(STRICT) if field.name != "name")
    assert ALL.protocol == PUBLISHED


def test_reduction_and_spread_alone_keep_the_scores_of_the_cases():
    assert [switch.name for switch in switches() if switch.keeps_cases] == ["reduction", "spread"]
    assert [switch.name for switch in switches() if switch.spread] == ["spread"]


def test_sample_counts_are_strict_on_the_first_samples():
    *_, four, ten = switches([4, 10])
    assert [(s.name, s.samples, s.protocol, s.keeps_cases) for s in (four, ten)] == [
        ("S=4", 4, STRICT, False),
        ("S=10", 10, STRICT, False),
    ]
