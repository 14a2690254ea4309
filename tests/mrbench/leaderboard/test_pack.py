import gzip
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from stored_runs import StoredCell, cases, registry, store_run, vouch_again
from synthetic_board import definitions

from mrbench.diagnostics.document import Diagnosis, write_diagnosis
from mrbench.diagnostics.figures import Figure
from mrbench.engine.cell import Status
from mrbench.engine.fit import Curve
from mrbench.engine.record import write_record
from mrbench.engine.run import Run
from mrbench.errors import UnknownNameError, UsageError
from mrbench.files import read_json
from mrbench.leaderboard import strip
from mrbench.leaderboard.add import add
from mrbench.leaderboard.command import command_of
from mrbench.leaderboard.entry import Entry, entry_bytes
from mrbench.leaderboard.pack import candidates, check_submittable, pack
from mrbench.leaderboard.register import register
from mrbench.leaderboard.registered import read_registered
from mrbench.leaderboard.source import method_run_of
from mrbench.leaderboard.store import Stored, entries, read_entry
from mrbench.leaderboard.verify import Verifier
from mrbench.plugin_file import PluginFile
from mrbench.registry import discover
from mrbench.results.curves import parse_curves, read_curves

DIGESTS = {"data_digest": "d" * 64, "split_digest": "5" * 64}
GED = cases("ged", [0.1, 0.3], [0.4])
MINE = """
from mrbench import MethodCard, hookimpl
MRBENCH_API = "2"
class Mine: ...
@hookimpl
def mrbench_methods():
    return [MethodCard(name="mine", code="mine:Mine")]
"""
PRIVATE = {"weights": "/home/anna/nets/w.pt", "list": ["/home/anna/x.csv"], "free": "see /home/anna/notes"}


def cell(method: str = "proseg", **more: object) -> StoredCell:
    spec = {**DIGESTS, **more.pop("spec", {})}
    return StoredCell(method, more.pop("values", GED), spec=spec, **more)


def run_of(tmp_path: Path, *cells: StoredCell, name: str = "run") -> Run:
    run = store_run(tmp_path / "results", name, *cells)
    facts = {**run.descriptions["phantom"], "licence": "CC0", "citation": "", "origin": ""}
    return replace(run, descriptions={"phantom": facts})


def packed(run: Run, **more: str) -> Entry:
    (candidate,) = candidates([run])
    return pack(candidate, registry(), **more).entry


def test_the_figures_are_those_of_the_table_of_the_run(tmp_path: Path):
    second = [cell(fold=1, seed=seed, values=cases("ged", [0.2], [0.2])) for seed in (0, 1)]
    entry = packed(run_of(tmp_path, cell(), cell(seed=1), *second))
    score = entry.scores["strict"]["ged"]
    assert score.mean == pytest.approx((0.3 + 0.2) / 2)  # by hand: subjects weigh alike, then folds do
    assert score.sd == pytest.approx(0.05 * 2**0.5)
    assert (score.folds, score.cases, score.subjects) == (pytest.approx({0: 0.3, 1: 0.2}), 5, 2)
    assert score.definition == definitions().digests["ged"]
    assert score.low <= score.mean <= score.high


def test_one_seed_has_no_interval_and_the_entry_says_why(tmp_path: Path):
    score = packed(run_of(tmp_path, cell(), cell(fold=1))).scores["strict"]["ged"]
    assert (score.low, score.high) == (None, None)
    assert score.no_interval.startswith("one seed (trainings)")


def test_seeds_of_a_fold_are_averaged(tmp_path: Path):
    entry = packed(run_of(tmp_path, cell(), cell(seed=1, values=cases("ged", [0.5, 0.5], [0.5]))))
    score = entry.scores["strict"]["ged"]
    assert (score.mean, score.sd) == (pytest.approx(0.4), None)
    assert "--seed 0" in command_of(entry)
    assert "--seeds 2" in command_of(entry)


def test_folds_of_several_runs_are_one_entry(tmp_path: Path):
    runs = [run_of(tmp_path, cell(fold=fold), name=f"run{fold}") for fold in (0, 1)]
    (candidate,) = candidates(runs)
    entry = pack(candidate, registry()).entry
    assert [one.fold for one in entry.cells] == [0, 1]
    assert "--fold 0 --fold 1" in command_of(entry)


def test_no_byte_tells_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", "/home/anna")
    monkeypatch.setattr(socket, "gethostname", lambda: "tower-7")
    strip._known.cache_clear()
    reason = f"cannot read {tmp_path}/x.npz on tower-7\nat /home/anna/secret.py"
    values = {"/home/anna/a, case 0": {"ged": {None: 0.5}}, "/home/anna/b, case 1": {"ged": {None: 0.6}}}
    failed = cell(fold=1, status=Status.FAILED)
    run = run_of(tmp_path, cell(values=values, spec={"options": PRIVATE, "changed": PRIVATE}), failed)
    record = next((tmp_path / "results").glob("cells/*/*/*/*.failed/record.json"))
    write_record(record.parent, {**read_json(record), "reason": reason})
    run = replace(run, cells=[(replace(spec, options=PRIVATE, changed=PRIVATE), why) for spec, why in run.cells])
    for candidate in candidates([run]):
        add(pack(candidate, registry(), note="from /home/anna/notes.md"), tmp_path / "board")
    files = [path for path in (tmp_path / "board").rglob("*") if path.is_file()]
    content = [path.read_bytes() for path in files]
    content += [gzip.decompress(one) for path, one in zip(files, content, strict=True) if path.suffix == ".gz"]
    assert len(files) >= 2
    for secret in ("/home", "anna", "/tmp", str(tmp_path), "tower-7"):
        assert not any(secret.encode() in one for one in content), secret
    assert any(b"w.pt" in one for one in content)
    strip._known.cache_clear()


def test_what_is_packed_verifies(tmp_path: Path):
    (candidate,) = candidates([run_of(tmp_path, cell(), cell(fold=1))])
    added = add(pack(candidate, registry()), tmp_path / "board")
    register(read_entry(added.folder))
    (found,) = Verifier(registry(), read_registered(tmp_path / "board")).board(tmp_path / "board")
    assert not found.faults
    assert found.recomputed > 5


def test_a_diagnosis_is_packed_and_its_verdicts_are_caveats_of_the_entry_wherever_it_is_read(tmp_path: Path):
    run = run_of(tmp_path, cell())
    folder = run.cells[0][0].folder(run.results)
    figures = {"total effect of tau": Figure(0.002), "share within a rater": Figure(None, why="no")}
    write_diagnosis(folder, Diagnosis(draws=8, cases=1, of_cases=1, figures=figures))
    (candidate,) = candidates([run])
    added = add(pack(candidate, registry()), tmp_path / "board")
    stored = read_entry(added.folder)
    assert stored.entry.diagnostics == {"total effect of tau": 0.002}
    assert "inert: total effect of tau 0.20%" in stored.entry.caveats
    assert "inert: total effect of tau 0.20%" in method_run_of(stored).caveats
    register(stored)
    (found,) = Verifier(registry(), read_registered(tmp_path / "board")).board(tmp_path / "board")
    assert not found.faults


def test_an_entry_that_was_not_diagnosed_says_nothing_of_it(tmp_path: Path):
    assert b"diagnostics" not in entry_bytes(packed(run_of(tmp_path, cell())))


def test_adding_again_changes_nothing_whoever_adds(tmp_path: Path):
    (candidate,) = candidates([run_of(tmp_path, cell())])
    first = add(pack(candidate, registry()), tmp_path / "board")
    again = add(pack(candidate, registry(), submitter="somebody"), tmp_path / "board")
    assert first.new
    assert not again.new
    assert again.folder == first.folder
    assert [type(one) for one in entries(tmp_path / "board")] == [Stored]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([cell(), cell(fold=1, status=Status.FAILED)], "not finished: 1 of 2 cells"),
        ([cell(spec={"limit": 3})], "first 3 cases only"),
    ],
)
def test_what_no_table_should_have_is_refused(tmp_path: Path, cells: list[StoredCell], words: str):
    (candidate,) = candidates([run_of(tmp_path, *cells)])
    with pytest.raises(UsageError, match=words):
        check_submittable(candidate)


def test_a_plugin_file_without_its_digest_is_refused(tmp_path: Path):
    (candidate,) = candidates([run_of(tmp_path, cell(spec={"method": "mine.py:mine"}))])
    with pytest.raises(UsageError, match="content was not recorded"):
        check_submittable(candidate)


def test_a_plugin_file_goes_with_the_entry_and_is_the_one_that_ran(tmp_path: Path):
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    spec = {"method": "mine.py:mine", "method_version": f"1+{PluginFile.read(file).digest}"}
    (known,) = candidates([run_of(tmp_path, cell(spec=spec))])
    check_submittable(known)
    with pytest.raises(UsageError, match="goes with its entry") as missing:
        pack(known, registry())
    assert missing.value.hint == "--plugin-file mine.py"
    found = pack(known, discover(files=[file]))
    assert found.files["method.py"] == file.read_bytes()
    assert found.entry.caveats[-1] == "local plugin file"
    file.write_text(MINE + "# edited since\n")
    with pytest.raises(UsageError, match="is not the one"):
        pack(known, discover(files=[file]))


def test_failures_are_submitted_where_it_is_asked_for(tmp_path: Path):
    run = run_of(tmp_path, cell(), cell(fold=1, status=Status.FAILED))
    (candidate,) = candidates([run])
    check_submittable(candidate, with_failures=True)
    assert packed(run).failures == ("fold1-seed0 failed: what went wrong",)


def test_methods_are_chosen_and_unknown_ones_told_of(tmp_path: Path):
    run = run_of(tmp_path, cell(), cell("staple"))
    assert [one.spec.method for one in candidates([run], ["staple"])] == ["staple"]
    with pytest.raises(UnknownNameError, match="did you mean 'staple'"):
        candidates([run], ["stapel"])


def test_without_predictions_only_the_stored_protocol_is_packed(tmp_path: Path):
    assert list(packed(run_of(tmp_path, cell())).scores) == ["strict"]


def test_learning_curves_are_packed_with_every_term(tmp_path: Path):
    run = run_of(tmp_path, cell())
    (spec, _), *_ = run.cells
    rows = [
        {"stage": "main", "epoch": 0, "learning_rate": 0.1, "train/dice": 2.0, "train/kl": 1.0, "train/total": 3.0},
        {"stage": "main", "epoch": 1, "learning_rate": 0.1, "train/dice": 1.5, "train/kl": 0.5, "train/total": 2.0},
        {"stage": "more", "epoch": 0, "learning_rate": 0.1, "train/raters": 7.0, "train/total": 7.0},
    ]
    written = spec.folder(run.results) / "curves.csv"
    Curve(rows).write(written)
    vouch_again(written.parent)
    (candidate,) = candidates([run])
    text = pack(candidate, registry()).files["curves.fold0-seed0.csv"].decode()
    assert text.splitlines()[0] == (
        "stage,epoch,train/total,validation/total,train/dice,validation/dice,train/kl,validation/kl,"
        "train/raters,validation/raters"
    )
    curves = parse_curves(text.splitlines())
    assert curves == read_curves(written)
    assert curves["main"].terms["kl"].train == (1.0, 0.5)
    assert list(curves["more"].terms) == ["raters"]
