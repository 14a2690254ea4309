"""What a run exports, and what somebody else might write, is scored like the run it came from."""

import gzip
from collections.abc import Callable
from itertools import product
from pathlib import Path

import h5py
import numpy as np
import pytest

from mrbench.interfaces.draw import DrawKind

OF_PROBABILITIES = ("dice_soft_prob", "dice_rater_mean", "ece", "brier")
"""How the names of metrics begin that need more than masks."""

FIELDS = {"samples": DrawKind.SAMPLE, "raters": DrawKind.RATER, "consensus": DrawKind.CONSENSUS}


def assert_same(origin, name: str, *, masks_only: bool) -> None:
    records = origin.records()
    for fold in (0, 1):
        ours, theirs = records["odd.py:guess", fold], records[f"external:{name}", fold]
        assert ours["metrics"].keys() == theirs["metrics"].keys()
        assert len(ours["metrics"]) > 20
        moved = {metric for metric, value in ours["metrics"].items() if value != theirs["metrics"][metric]}
        assert not [metric for metric in moved if not (masks_only and metric.startswith(OF_PROBABILITIES))]
        assert (not masks_only) == (rows(ours) == rows(theirs))


def rows(record: dict) -> bytes:
    return gzip.decompress((record["folder"] / "cases.csv.gz").read_bytes())


def exported(origin, folder: Path, kind: str, *more: str) -> Path:
    origin.export(origin.run_id, "--method", "odd.py:guess", "--to", folder, "--format", kind, *more)
    (path,) = folder.iterdir()
    return path


@pytest.mark.parametrize(
    ("classes", "volumes", "kind"),
    [
        (classes, volumes, kind)
        for classes, volumes in product((2, 3), (False, True))
        for kind in ("nifti", "npz", "hdf5", *["png"] * (not volumes))
    ],
)
def test_exported_masks_give_every_number_that_masks_decide(
    make_origin: Callable, tmp_path: Path, classes: int, volumes: bool, kind: str
):
    origin = make_origin(classes, volumes)
    path = exported(origin, tmp_path / "masks", kind, "--truth")
    origin.score(path, "--name", kind)
    assert_same(origin, kind, masks_only=True)


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
@pytest.mark.parametrize(
    ("classes", "volumes", "foreground"),
    [(2, False, False), (2, False, True), (2, True, True), (3, False, False), (3, True, False)],
)
def test_probabilities_give_every_number(
    make_origin: Callable, tmp_path: Path, classes: int, volumes: bool, foreground: bool, suffix: str
):
    origin = make_origin(classes, volumes)
    write(tmp_path / f"soft{suffix}", per_case(origin, foreground=foreground))
    origin.score(tmp_path / f"soft{suffix}", "--name", f"soft{foreground}{suffix[1:]}")
    assert_same(origin, f"soft{foreground}{suffix[1:]}", masks_only=False)


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_a_stacked_file_reads_like_one_per_case(make_origin: Callable, tmp_path: Path, suffix: str):
    origin = make_origin(3, False)
    arrays = per_case(origin)
    names = [case for case in origin.cases.ids if arrays[f"{case}/consensus"].shape[1] == 9]
    stacked = {field: np.stack([arrays[f"{case}/{field}"] for case in names]) for field in FIELDS}
    texts = np.array(names) if suffix == ".npz" else np.array([name.encode() for name in names])
    write(tmp_path / f"stacked{suffix}", stacked | {"case": texts})
    write(
        tmp_path / f"single{suffix}",
        {name: values for name, values in arrays.items() if name.rpartition("/")[0] in names},
    )
    draws = [list(all_draws(origin, tmp_path / f"{name}{suffix}", names)) for name in ("stacked", "single")]
    assert len(draws[0]) == len(names) * 9
    for one, other in zip(*draws, strict=True):
        assert (one.kind, one.rater) == (other.kind, other.rater)
        np.testing.assert_array_equal(one.probability, other.probability, strict=True)


@pytest.mark.parametrize(
    "storage",
    [
        {},
        {"compression": "gzip"},
        {"compression": "gzip", "shuffle": True},
        {"shuffle": True},
        {"chunks": True},
        {"chunks": (2, 2, 3, 4, 4), "compression": "gzip", "shuffle": True},
        {"chunks": (4, 5, 3, 9, 7), "compression": "gzip"},
    ],
)
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<f2"])
def test_however_hdf5_lays_an_array_out_it_reads_the_same(
    make_origin: Callable, tmp_path: Path, storage: dict, dtype: str
):
    from mrbench.external.hdf5 import Hdf5Arrays

    values = np.random.default_rng(0).random((4, 5, 3, 9, 7)).astype(dtype)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("samples", data=values, **storage)
    arrays = Hdf5Arrays(tmp_path / "a.h5")
    for n, s in ((0, 0), (3, 4), (1, 2), (1, 3), (0, 0)):
        np.testing.assert_array_equal(arrays.array("samples").item((n, s)), values[n, s])
    arrays.close()


def test_a_stacked_archive_may_be_in_any_order(origin, tmp_path: Path):
    from mrbench.external.npz import NpzArrays

    values = np.random.default_rng(0).random((4, 5, 9, 7)).astype(">f4")
    np.savez_compressed(tmp_path / "a.npz", samples=values)
    arrays = NpzArrays(tmp_path / "a.npz")
    for n, s in ((3, 4), (0, 0), (1, 2), (1, 3), (0, 1)):
        np.testing.assert_array_equal(arrays.array("samples").item((n, s)), values[n, s])
    arrays.close()


def all_draws(origin, path: Path, names: list[str]):
    from mrbench.external.grid import Grid
    from mrbench.external.source import open_source

    cases = origin.cases
    with open_source(path, (), cases.description) as source:
        for name in names:
            yield from source.draws(name, Grid.of(cases[cases.ids.index(name)]))


def per_case(origin, *, foreground: bool = False) -> dict[str, np.ndarray]:
    """The draws of the origin's run as arrays of probabilities."""
    arrays: dict[str, np.ndarray] = {}
    for case in origin.cases:
        draws = origin.module.draws_of(case.masks)
        for field, kind in FIELDS.items():
            own = [draw.probability[1] if foreground else draw.probability for draw in draws if draw.kind is kind]
            arrays[f"{case.id}/{field}"] = own[0] if field == "consensus" else np.stack(own)
    return arrays


def write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    if path.suffix == ".npz":
        np.savez(path, **arrays)
        return
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file[name] = values
