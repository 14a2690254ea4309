"""HDF5 files and NumPy archives that are wrong, or hostile: what is said, and that nothing is left behind."""

import io
import zipfile
from itertools import product
from pathlib import Path

import h5py
import numpy as np
import pytest

CASES = [f"hospital {i}/scan:{i}" for i in range(6)]
SHAPES = [(9 + i % 2, 7) for i in range(6)]
"""Of the data set with two classes in slices."""


def samples(n: int = 2, dtype: str = "u1") -> dict[str, np.ndarray]:
    return {f"{case}/samples": np.zeros((n, *shape), dtype) for case, shape in zip(CASES, SHAPES, strict=True)}


def written(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    if path.suffix == ".npz":
        np.savez_compressed(path, **arrays)
    else:
        with h5py.File(path, "w") as file:
            for name, values in arrays.items():
                file[name] = values.astype("S") if values.dtype.kind == "U" else values
    return path


@pytest.fixture(params=["a.npz", "a.h5"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / request.param


def with_one(change: dict[str, np.ndarray], n: int = 2) -> dict[str, np.ndarray]:
    return samples(n) | {f"{CASES[2]}/{name}": values for name, values in change.items()}


WRONG = {
    "labels": ({"samples": np.full((2, 9, 7), 2, "u1")}, ("labels", "from 0 to 1", "from 2 to 2", CASES[2])),
    "negative": ({"samples": np.full((2, 9, 7), -1, "i2")}, ("labels", "from -1 to -1")),
    "transposed": ({"samples": np.zeros((2, 7, 9), "u1")}, ("another grid", "(9, 7)", "(7, 9)", CASES[2])),
    "axes": ({"samples": np.zeros((2, 1, 1, 9, 7), "u1")}, ("axes", "(S, H, W) or (S, K, H, W)")),
    "one-hot": ({"samples": np.zeros((2, 2, 9, 7), "u1")}, ("labels are integers without an axis of classes",)),
    "classes": ({"samples": np.zeros((2, 3, 9, 7), "f4")}, ("another grid", "(2, 9, 7)", "(3, 9, 7)")),
    "nan": ({"samples": np.full((2, 9, 7), np.nan, "f4")}, ("not finite", CASES[2])),
    "infinite": ({"samples": np.full((2, 9, 7), np.inf)}, ("not finite",)),
    "logits": ({"samples": np.full((2, 9, 7), -3.0)}, ("[0, 1]", "softmax or a sigmoid")),
    "float-labels": ({"samples": np.full((2, 9, 7), 255.0)}, ("[0, 1]", "labels are stored as integers")),
    "sums": ({"samples": np.full((2, 2, 9, 7), 0.4, "f4")}, ("sum to one", "[0.8, 0.8]")),
    "more": ({"samples": np.zeros((3, 9, 7), "u1")}, ("other predictions", "2 samples", "3 samples", CASES[2])),
    "kinds": ({"consensus": np.zeros((9, 7), "u1")}, ("other predictions", "2 samples and a consensus")),
    "none": ({"samples": np.zeros((0, 9, 7), "u1")}, ("empty array",)),
    "raters": ({"raters": np.zeros((2, 9, 7), "u1")}, ("whom", "3 (ann, Dr. Bo/b, 2)", "'rater'")),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_predictions_are_refused_by_the_name_of_their_case(origin, path: Path, name: str):
    change, words = WRONG[name]
    text = origin.refused(written(path, with_one(change)))
    for word in (str(path), *words):
        assert word in text


def test_half_precision_and_booleans_are_read(origin, path: Path):
    written(
        path,
        samples(dtype="f2") | {f"{case}/consensus": np.ones(s, bool) for case, s in zip(CASES, SHAPES, strict=True)},
    )
    origin.score(path, "--name", "half")
    (_, record), *_ = ((key, r) for key, r in origin.records().items() if key[0] == "external:half")
    assert record["spec"]["capabilities"] == ["consensus", "diverse"]
    assert record["spec"]["samples"] == 2


def test_raters_are_named_by_column_or_by_name(origin, path: Path):
    def raters(*labels) -> dict[str, np.ndarray]:
        masks = {f"{c}/raters": np.zeros((len(labels), *s), "u1") for c, s in zip(CASES, SHAPES, strict=True)}
        return masks | {"rater": np.array(labels)}

    from mrbench.external.source import open_source

    for labels, columns in (((2, 0), (2, 0)), (("2", "ann"), (2, 0)), (("Dr. Bo/b",), (1,)), (("0", "1"), (0, 1))):
        with open_source(written(path, raters(*labels)), (), origin.cases.description) as source:
            assert source.form(CASES[0]).raters == columns
    assert "3 of" not in origin.score(path).stdout, "some raters alone can be scored too"
    assert "cay" in origin.refused(written(path, raters("ann", "cay")))
    assert "found:    0, ann" in origin.refused(written(path, raters("0", "ann")))
    assert "0 to 2" in origin.refused(written(path, raters(0, 3)))
    text = origin.refused(written(path, raters("ann") | {"rater": np.array(["ann", "2"])}))
    assert "another length in 'rater'" in text


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"case": np.array(["a", "a"]), "consensus": np.zeros((2, 9, 7), "u1")}, ("names a case twice", "a")),
        ({"case": np.array(CASES), "consensus": np.zeros((5, 9, 7), "u1")}, ("number of cases", "6", "5")),
        ({"case": np.array(CASES)}, ("no predictions of case",)),
        ({"case": np.array(CASES), "samples": np.zeros((6, 9, 7), "u1")}, ("axes", "(N, S, H, W)")),
        ({"case": np.zeros((2, 2), "u1"), "consensus": np.zeros((2, 9, 7), "u1")}, ("wrong shape",)),
        ({"case": np.zeros(2), "consensus": np.zeros((2, 9, 7), "u1")}, ("wrong type",)),
    ],
)
def test_wrong_stacked_files_are_refused(origin, path: Path, arrays: dict[str, np.ndarray], words: tuple[str, ...]):
    text = origin.refused(written(path, arrays))
    for word in (str(path), *words):
        assert word in text


@pytest.mark.parametrize("name", ["a.npz", "a.h5"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n" + bytes(90), b"text"])
def test_files_of_another_kind_are_refused(origin, tmp_path: Path, name: str, content: bytes):
    (tmp_path / name).write_bytes(content)
    assert "is not a whole" in origin.refused(tmp_path / name)


def test_more_predictions_than_fit_into_memory_are_refused(origin, path: Path):
    text = origin.refused(written(path, samples(n=4097)))
    assert f"{path} has too many predictions of case" in text
    assert "expected: at most 4096\n  found:    4097" in text


def test_hidden_characters_in_names_are_spelt_out(origin, path: Path):
    masks = {f"{case}/raters": np.zeros((2, *s), "u1") for case, s in zip(CASES, SHAPES, strict=True)}
    text = origin.refused(written(path, masks | {"rater": np.array(["ann", "\x1b]0;x\x07"])}))
    assert r"\x1b]0;x\x07" in text
    assert "\x1b" not in text
    text = origin.score(written(path, samples() | {"\x1b[2J/samples": np.zeros((2, 9, 7), "u1")})).stderr
    assert r"left alone: '\x1b[2J'" in text


def test_truncated_files_are_refused(origin, path: Path):
    written(path, samples())
    path.write_bytes(path.read_bytes()[:-200])
    assert str(path) in origin.refused(path)


@pytest.mark.parametrize("dtype", ["U3", "c8", "M8[s]"])
def test_types_that_are_no_numbers_are_refused(origin, tmp_path: Path, dtype: str):
    path = tmp_path / "a.npz"
    np.savez(path, **with_one({"samples": np.zeros((2, 9, 7), dtype)}))
    assert "wrong type" in origin.refused(path)


def test_pickles_are_not_opened(origin, tmp_path: Path):
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "hit",))

    path = tmp_path / "a.npz"
    np.savez(path, **with_one({"samples": np.full((2, 9, 7), Bomb(), object)}))
    assert "wrong type" in origin.refused(path)
    assert not (tmp_path / "hit").exists()


def test_arrays_in_column_order_are_refused_with_the_remedy(origin, tmp_path: Path):
    path = tmp_path / "a.npz"
    np.savez(path, **with_one({"samples": np.asfortranarray(np.zeros((2, 9, 7), "u1"))}))
    assert "numpy.ascontiguousarray" in origin.refused(path)


def member(shape: tuple[int, ...], content: bytes) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_2_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return file.getvalue() + content


def test_a_member_that_declares_more_than_it_holds_is_refused(origin, tmp_path: Path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for case, shape in zip(CASES, SHAPES, strict=True):
            archive.writestr(f"{case}/samples.npy", member((10**9, *shape), b"\0" * 100))
    assert "declares more than it holds" in origin.refused(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(origin, tmp_path: Path):
    written(path := tmp_path / "a.npz", samples())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{CASES[0]}/samples.npy", member((2, 9, 7), bytes(126)))
    assert "two members of one name" in origin.refused(path)


def test_characters_that_there_are_not_are_refused(origin, tmp_path: Path):
    path = tmp_path / "a.npz"
    masks = {f"{case}/raters": np.zeros((1, *s), "u1") for case, s in zip(CASES, SHAPES, strict=True)}
    np.savez(path, **masks, rater=np.frombuffer(b"\xff\xff\xff\x7f", "<U1"))
    assert "a character beyond Unicode" in origin.refused(path)


def test_members_packed_otherwise_are_refused(origin, tmp_path: Path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        for case, shape in zip(CASES, SHAPES, strict=True):
            archive.writestr(f"{case}/samples.npy", member((2, *shape), bytes(2 * shape[0] * shape[1])))
    assert "numpy.savez_compressed" in origin.refused(path)


def test_other_arrays_are_left_alone(origin, path: Path):
    assert "left alone" not in origin.score(written(path, samples() | {"thresholds": np.zeros(3)})).stderr


def hdf5_with(path: Path, change) -> Path:
    written(path, samples())
    with h5py.File(path, "a") as file:
        del file[f"{CASES[2]}/samples"]
        change(file, f"{CASES[2]}/samples")
    return path


def soft_link(file: h5py.File, name: str) -> None:
    file[name] = h5py.SoftLink(f"/{CASES[0]}/samples")


def external_link(file: h5py.File, name: str) -> None:
    file[name] = h5py.ExternalLink("other.h5", "/samples")


def lzf(file: h5py.File, name: str) -> None:
    file.create_dataset(name, data=np.zeros((2, 9, 7), "u1"), compression="lzf")


def texts(file: h5py.File, name: str) -> None:
    file.create_dataset(name, data=["a", "b"])


def external_storage(file: h5py.File, name: str) -> None:
    file.create_dataset(name, (2, 9, 7), "u1", external=[("other.bin", 0, 126)])


def virtual(file: h5py.File, name: str) -> None:
    layout = h5py.VirtualLayout((2, 9, 7), "u1")
    layout[:] = h5py.VirtualSource("other.h5", "samples", (2, 9, 7))
    file.create_virtual_dataset(name, layout)


def never_written(file: h5py.File, name: str) -> None:
    file.create_dataset(name, (2, 9, 7), "u1", chunks=(1, 9, 7))


def unfilled(file: h5py.File, name: str) -> None:
    file.create_dataset(name, (2, 9, 7), "u1")


def a_group(file: h5py.File, name: str) -> None:
    file.create_group(name)


def no_values(file: h5py.File, name: str) -> None:
    file[name] = h5py.Empty("u1")


def huge(file: h5py.File, name: str) -> None:
    file.create_dataset(name, (10**6, 9, 7), "u1", chunks=(10**6, 9, 7), compression="gzip")


HOSTILE = {
    soft_link: "link",
    external_link: "link",
    lzf: "gzip or nothing",
    texts: "wrong type",
    external_storage: "other files",
    virtual: "other files",
    never_written: "damaged",
    unfilled: "does not hold all",
    a_group: "wrong member",
    no_values: "found:    one without values",
    huge: "other predictions",
}


@pytest.mark.parametrize("change", HOSTILE, ids=lambda change: change.__name__)
def test_hdf5_files_that_lead_elsewhere_or_hold_less_than_they_say_are_refused(origin, tmp_path: Path, change):
    text = origin.refused(hdf5_with(tmp_path / "a.h5", change))
    assert HOSTILE[change] in text
    assert "a.h5" in text


def test_a_chunk_that_unpacks_to_more_than_it_declares_is_refused(origin, tmp_path: Path):
    import zlib

    def bomb(file: h5py.File, name: str) -> None:
        array = file.create_dataset(name, (2, 9, 7), "u1", chunks=(2, 9, 7), compression="gzip")
        array.id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(10**7)))

    assert "damaged chunk" in origin.refused(hdf5_with(tmp_path / "a.h5", bomb))


def test_names_of_variable_length_are_refused_with_the_remedy(origin, tmp_path: Path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["case"] = CASES
        file["consensus"] = np.zeros((6, 9, 7), "u1")
    assert "numpy.array(names, dtype='S')" in origin.refused(tmp_path / "a.h5")


def test_a_prediction_spread_over_too_many_chunks_is_refused(tmp_path: Path):
    from mrbench.errors import DataError
    from mrbench.external.hdf5 import Hdf5Arrays

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("samples", (5000, 300, 300), "u1", chunks=(5000, 1, 300), compression="gzip")
    arrays = Hdf5Arrays(tmp_path / "a.h5")
    with pytest.raises(DataError, match="too many chunks") as caught:
        arrays.array("samples").item((0,))
    assert "(1, 300, 300)" in caught.value.expected
    arrays.close()


def test_memory_does_not_grow_with_the_number_of_samples(tmp_path: Path):
    import tracemalloc

    from mrbench.external.hdf5 import Hdf5Arrays
    from mrbench.external.npz import NpzArrays

    values = np.zeros((2, 400, 100, 100), "u1")  # 8 MB
    np.savez_compressed(tmp_path / "a.npz", samples=values)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("samples", data=values)
    for arrays in (NpzArrays(tmp_path / "a.npz"), Hdf5Arrays(tmp_path / "a.h5")):
        tracemalloc.start()
        for place in product(range(2), range(400)):
            assert not arrays.array("samples").item(place).any()
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
        tracemalloc.stop()
        arrays.close()
