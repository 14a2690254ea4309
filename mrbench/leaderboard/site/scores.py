"""The scores and the provenance of one entry, as its record's page and its method's page show them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mrbench.engine.cell import domain_title
from mrbench.leaderboard.entry import Entry, Score
from mrbench.leaderboard.site.lines import DAY
from mrbench.results import numbers
from mrbench.results.columns import ARROWS


@dataclass(frozen=True)
class ScoreLine:
    """One metric; ``folds``: a value for every fold of the table, blank where there is none."""

    metric: str
    arrow: str
    mean: str
    sd: str
    interval: str
    folds: Sequence[str]
    raters: str


@dataclass(frozen=True)
class ScoreTable:
    """The metrics of one protocol; ``folds``: numbers of the folds."""

    protocol: str
    folds: Sequence[int]
    lines: Sequence[ScoreLine]


@dataclass(frozen=True)
class Fact:
    """A term and what there is to say about it; ``code``: written for machines."""

    term: str
    lines: Sequence[str]
    code: bool = False


def protocols_of(entry: Entry) -> list[str]:
    """The scoring protocols that it has scores of, strict first."""
    return sorted((name for name, scores in entry.scores.items() if scores), key=lambda name: (name != "strict", name))


def score_table(entry: Entry, protocol: str) -> ScoreTable:
    """Every metric under a protocol; those meant for tables first."""
    scores = entry.scores[protocol]
    folds = sorted({fold for score in scores.values() for fold in score.folds})
    names = sorted(scores, key=lambda name: not _in_tables(name, entry))
    return ScoreTable(protocol, folds, [_line(name, scores[name], folds, entry) for name in names])


def _in_tables(name: str, entry: Entry) -> bool:
    return name in entry.metrics and entry.metrics[name].table


def _line(name: str, score: Score, folds: Iterable[int], entry: Entry) -> ScoreLine:
    facts = entry.metrics.get(name)
    return ScoreLine(
        metric=name,
        arrow=ARROWS[facts.direction] if facts else "",
        mean=numbers.full(score.mean),
        sd=numbers.full_spread(score.sd),
        interval=numbers.full_interval(score.low, score.high),
        folds=[numbers.full(score.folds[fold]) if fold in score.folds else "" for fold in folds],
        raters=", ".join(
            f"{_rater(rater, entry)} {numbers.full(value)}" for rater, value in list(score.by_rater.items())[:12]
        ),
    )


def _rater(rater: int, entry: Entry) -> str:
    return entry.data.rater_names[rater] if rater < len(entry.data.rater_names) else str(rater)


def facts_of(entry: Entry) -> list[Fact]:
    """Where the numbers come from; what is unknown is left out."""
    days, spec = sorted({cell.written[:DAY] for cell in entry.cells}), entry.spec
    changed = [f"{name} = {value}" for name, value in spec.data_settings.items()]
    trained = [f"{entry.data_digest}, {entry.split} {entry.split_digest}"] if spec.test_on else []
    facts = [
        Fact("Computed", [" to ".join(dict.fromkeys((days[0], days[-1])))]),
        Fact("Submitted by", [entry.submitter]),
        Fact("Note", [entry.note]),
        Fact("Method", [f"{entry.method}, version {entry.method_version}, from {entry.about.plugin}"]),
        Fact("Local plugin file", [entry.plugin_file]),
        Fact("Preset", [entry.preset]),
        Fact("Set beside it", [f"{name} = {value}" for name, value in entry.changed.items()]),
        Fact("Samples", [str(entry.samples)] if entry.sample_count is not None else []),
        *(Fact(term, [text]) for term, text in entry.conditions.facts.items()),
        Fact("Versions", _merged(cell.versions for cell in entry.cells)),
        Fact("On", _merged(cell.environment for cell in entry.cells)),
        Fact("Data set", [", ".join([domain_title(spec.domain), *changed])]),
        Fact("Trained on", trained, code=True),
        Fact("Data", [spec.tested.data_digest], code=True),
        Fact("Split", [f"{spec.tested.split} {spec.tested.split_digest}"], code=True),
        Fact("Training", [entry.training_digest], code=True),
        Fact("Prediction", [entry.prediction_digest], code=True),
        Fact("Licence of the data", [entry.data.licence]),
        Fact("Cite", [text for text in (entry.about.citation, entry.data.citation) if text]),
    ]
    return [fact for fact in facts if any(fact.lines)]


def _merged(found: Iterable[Mapping[str, str]]) -> list[str]:
    """One text of names with every value that they have in any cell."""
    values: dict[str, dict[str, None]] = {}
    for own in found:
        for name, value in own.items():
            if value:
                values.setdefault(name, {})[value] = None
    return [", ".join(f"{name.replace('_', ' ')} {' and '.join(one)}" for name, one in values.items())]
