"""The variants, one at a time."""

from dataclasses import asdict, fields

from mrbench.comparison.protocol_variants import ALL, VARIANTS, variants
from mrbench.metrics.protocol import PUBLISHED, STRICT


def changed(variant) -> dict[str, object]:
    strict = asdict(STRICT)
    return {n: v for n, v in asdict(variant.protocol).items() if n != "name" and v != strict[n]}


def test_each_switch_takes_its_fields_from_published_and_leaves_the_others():
    for variant in VARIANTS:
        assert changed(variant)
        assert changed(variant).items() <= asdict(PUBLISHED).items()


def test_together_they_are_published_and_no_field_is_in_two():
    names = [name for variant in VARIANTS for name in changed(variant)]
    assert sorted(names) == sorted(field.name for field in fields(STRICT) if field.name != "name")
    assert ALL.protocol == PUBLISHED


def test_reduction_and_spread_alone_keep_the_scores_of_the_cases():
    assert [variant.name for variant in variants() if variant.keeps_cases] == ["reduction", "spread"]
    assert [variant.name for variant in variants() if variant.spread] == ["spread"]


def test_sample_counts_are_strict_on_the_first_samples():
    *_, four, ten = variants([4, 10])
    assert [(s.name, s.samples, s.protocol, s.keeps_cases) for s in (four, ten)] == [
        ("S=4", 4, STRICT, False),
        ("S=10", 10, STRICT, False),
    ]
