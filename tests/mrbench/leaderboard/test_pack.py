import gzip
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from stored_runs import StoredCell, cases, registry, store_run
from synthetic_board import definitions

from mrbench.engine.cell import Status
from mrbench.engine.record import write_record
from mrbench.engine.run import Run
from mrbench.errors import UnknownNameError, UsageError
from mrbench.files import read_json
from mrbench.leaderboard import strip
from mrbench.leaderboard.add import add
from mrbench.leaderboard.entry import Entry
from mrbench.leaderboard.pack import candidates, check_submittable, pack
from mrbench.leaderboard.store import Stored, entries
from mrbench.leaderboard.verify import Verifier

DIGESTS = {"data_digest": "d" * 64, "split_digest": "5" * 64}
GED = cases("ged", [0.1, 0.3], [0.4])
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
    entry = packed(run_of(tmp_path, cell(), cell(fold=1, values=cases("ged", [0.2], [0.2]))))
    score = entry.scores["strict"]["ged"]
    assert score.mean == pytest.approx((0.3 + 0.2) / 2)  # by hand: subjects weigh alike, then folds do
    assert score.sd == pytest.approx(0.05 * 2**0.5)
    assert (score.folds, score.cases, score.subjects) == (pytest.approx({0: 0.3, 1: 0.2}), 5, 2)
    assert score.definition == definitions().digests["ged"]
    assert score.low <= score.mean <= score.high


def test_seeds_of_a_fold_are_averaged(tmp_path: Path):
    entry = packed(run_of(tmp_path, cell(), cell(seed=1, values=cases("ged", [0.5, 0.5], [0.5]))))
    score = entry.scores["strict"]["ged"]
    assert (score.mean, score.sd) == (pytest.approx(0.4), None)
    assert "--seed 0" in entry.reproduce
    assert "--seeds 2" in entry.reproduce


def test_folds_of_several_runs_are_one_entry(tmp_path: Path):
    runs = [run_of(tmp_path, cell(fold=fold), name=f"run{fold}") for fold in (0, 1)]
    (candidate,) = candidates(runs)
    entry = pack(candidate, registry()).entry
    assert [one.fold for one in entry.cells] == [0, 1]
    assert "--fold 0 --fold 1" in entry.reproduce


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
    add(pack(candidate, registry()), tmp_path / "board")
    (found,) = Verifier(registry()).board(tmp_path / "board")
    assert not found.faults
    assert found.recomputed > 5


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
    known = candidates([run_of(tmp_path / "b", cell(spec={"method": "mine.py:mine", "method_version": "1+ab"}))])
    check_submittable(known[0])
    assert pack(known[0], registry()).entry.caveats[-1] == "local plugin file"


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
