"""A model file is numbers and facts: damaged, hostile or of other code, it is told of, and nothing of it runs."""

import json
import os
import pickle
import random
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bit_flips import HARMLESS, TOLD, Kind, outcome
from model_files import Document, changed, write_untrained

import mrbench
from mrbench.engine import model_file
from mrbench.engine.model_file import read_model_file
from mrbench.errors import DataError, IncompatibleError, PluginError, UsageError

IMAGE = np.random.default_rng(0).integers(0, 255, (32, 32), np.uint8)
Members = dict[str, bytes]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file as it should be."""
    return write_untrained(tmp_path_factory.mktemp("models") / "whole.mrbench")


def everything(path: Path) -> Any:
    """All that is taken from a file."""
    file = read_model_file(path)
    weights = {name: (str(one.dtype), one.tolist()) for name, one in file.weights(0).items()}
    return asdict(file.facts), file.card, file.spec, file.description, weights


def test_what_was_written_is_read_back_and_the_same_model_is_the_same_bytes(whole: Path, tmp_path: Path):
    again = write_untrained(tmp_path / "again.mrbench")
    assert again.read_bytes() == whole.read_bytes()
    file = read_model_file(whole)
    assert file.facts.name == "r:phantom:proseg:0:0"
    assert file.description.rater_names == ("tight", "generous", "smooth", "halo")
    assert file.card == "# proseg\n\nA card.\n"
    assert (file.spec.method, file.spec.fold) == ("proseg", 0)


@pytest.mark.parametrize("dtype", [*model_file.DTYPES])
def test_every_type_of_tensor_comes_back_bit_for_bit(tmp_path: Path, whole: Path, dtype: str):
    values = torch.arange(-6, 6).reshape(3, 4).to(getattr(torch, dtype))
    state = {"a": values, "none": values[:0], "one": values[0, 0], "turned": values.T, "odd": values[0, :1]}
    model_file.write_model_file(tmp_path / "m", read_model_file(whole).facts, "", [state])
    found = read_model_file(tmp_path / "m").weights(0)
    assert [*found] == [*state]
    for name, one in state.items():
        assert found[name].dtype == one.dtype
        assert torch.equal(found[name], one)


def test_a_model_file_is_a_plain_archive_whose_texts_anybody_can_read(whole: Path):
    with zipfile.ZipFile(whole) as archive:
        assert archive.namelist() == ["model.json", "card.md", "weights-0.bin"]
        assert archive.read("card.md").decode().startswith("# proseg")
        document = json.loads(archive.read("model.json"))
    first = document["tensors"][0][0]
    assert {*first} == {"name", "dtype", "shape"}
    assert b"import" not in whole.read_bytes()[: whole.stat().st_size // 2]


def test_cut_anywhere_it_is_told_of_by_name(whole: Path, tmp_path: Path):
    content = whole.read_bytes()
    cut = tmp_path / "cut.mrbench"
    for length in np.linspace(0, len(content) - 1, 20).astype(int):
        cut.write_bytes(content[:length])
        for read in (read_model_file, mrbench.load_model):
            with pytest.raises(DataError, match=r"cannot read the model .*cut\.mrbench"):
                read(cut)


def test_a_flipped_bit_anywhere_is_told_of_or_changes_nothing(whole: Path, tmp_path: Path):
    content, right, noise = whole.read_bytes(), everything(whole), random.Random(0)
    path, counts = tmp_path / "flipped.mrbench", Counter[str]()
    # All over the file, and again where the archive says what lies where, of which there is less than weights.
    places = [noise.randrange(len(content)) for _ in range(150)]
    places += [len(content) - 1 - noise.randrange(250) for _ in range(50)]
    for place in places:
        wrong = bytearray(content)
        wrong[place] ^= 1 << noise.randrange(8)
        path.write_bytes(wrong)
        counts[outcome(Kind([path], lambda: everything(path)), path, right)] += 1
    assert {*counts} == {TOLD, HARMLESS}, counts
    assert counts[TOLD] > 140, counts


def test_what_is_no_model_file_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "notes.txt").write_text("hello")
    np.savez(tmp_path / "a.npz", x=np.zeros(3))
    torch.save({"a": torch.zeros(3)}, tmp_path / "a.pt")
    for name in ("notes.txt", "a.npz", "a.pt"):
        with pytest.raises(DataError, match=f"cannot read the model .*{name}(.|\n)*mrbench export-model wrote"):
            mrbench.load_model(tmp_path / name)
    with pytest.raises(UsageError, match="holds no finished cell"):
        mrbench.load_model(tmp_path)
    with pytest.raises(DataError, match="cannot read the model"):
        read_model_file(tmp_path)

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied", "a.pt")

    monkeypatch.setattr(model_file, "ZipFile", refuse)
    with pytest.raises(DataError, match="Permission denied"):
        mrbench.load_model(tmp_path / "a.pt")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_says_so(whole: Path, tmp_path: Path):
    secret = tmp_path / "secret.mrbench"
    secret.write_bytes(whole.read_bytes())
    secret.chmod(0)
    with pytest.raises(DataError, match="Permission denied"):
        mrbench.load_model(secret)


class Evil:
    """Writes a file where somebody unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def _larger(document: Document, axes: list[Any]) -> None:
    document["tensors"][0][0]["shape"] = axes


def _nan(document: Document, members: Members) -> None:
    values = np.frombuffer(members["weights-0.bin"], np.uint8).copy()
    values[:4] = np.frombuffer(np.float32(np.nan).tobytes(), np.uint8)
    members["weights-0.bin"] = values.tobytes()


HOSTILE: dict[str, tuple[Callable[[Document, Members], Any], str]] = {
    "a path out of the folder": (lambda d, m: m.update({"../../evil": b"x"}), "other members"),
    "an absolute path": (lambda d, m: m.update({"/tmp/evil": b"x"}), "other members"),
    "a member more": (lambda d, m: m.update({"weights-1.bin": b"x"}), "other members"),
    "a member less": (lambda d, m: m.pop("weights-0.bin"), "other members"),
    "a pickle beside": (lambda d, m: m.update({"data.pkl": pickle.dumps(Evil(Path("evil")))}), "other members"),
    "a pickle as weights": (
        lambda d, m: m.update({"weights-0.bin": pickle.dumps(Evil(Path("evil")))}), r"tensors of \d+ bytes in \d+"
    ),
    "a pickle as the card": (
        lambda d, m: m.update({"card.md": pickle.dumps(Evil(Path("evil")))}), "codec can't decode"
    ),
    "huge shapes": (lambda d, m: _larger(d, [2**40, 2**40]), r"tensors of \d+ bytes in \d+"),
    "shapes beyond numbers": (lambda d, m: _larger(d, [2**63]), "less than"),
    "negative shapes": (lambda d, m: _larger(d, [-1, 4]), "greater than or equal to 0"),
    "shapes that are no numbers": (lambda d, m: _larger(d, ["a"]), "valid integer"),
    "a hundred axes": (lambda d, m: _larger(d, [1] * 100), "at most 16"),
    "a type that is code": (lambda d, m: d["tensors"][0][0].update(dtype="load"), "tensors of type 'load'"),
    "another type": (lambda d, m: d["tensors"][0][0].update(dtype="int32"), "are none of method 'proseg'"),
    "a name of no tensor": (lambda d, m: d["tensors"][0][0].update(name="x.y"), "are none of method 'proseg'"),
    "two of one name": (lambda d, m: d["tensors"][0][1].update(name=d["tensors"][0][0]["name"]), "two tensors of one"),
    "turned axes": (
        lambda d, m: _larger(d, d["tensors"][0][0]["shape"][::-1]), "are none of method 'proseg'"
    ),
    "weights that are no numbers": (_nan, "NaN in"),
    "no weights": (lambda d, m: (d["tensors"].clear(), d["files"].pop("weights-0.bin"), m.pop("weights-0.bin")),
                   "weights of 0 trainings"),
    "fields of no model": (lambda d, m: d.update(code="import os"), "code: Unexpected"),
    "another spelling of the facts": (lambda d, m: d["model"].update(plugins=3), "valid dictionary"),
    "a specification that is none": (lambda d, m: d["model"]["spec"].update(fold=-1), "of a cell: fold"),
    "a method that is a path": (lambda d, m: d["model"]["spec"].update(method="../x"), "of a cell: method"),
    "a fusion": (lambda d, m: d["model"]["spec"].update(kind="fusion"), "trainings"),
    "one class": (lambda d, m: d["model"]["description"].update(classes=["a"]), "has one class only"),
    "classes that are numbers": (lambda d, m: d["model"]["description"].update(classes=[1, 2]), "valid string"),
    "other raters": (
        lambda d, m: d["model"]["description"].update(rater_names=["a"] * 9), "are none of method 'proseg'"
    ),
    "a network of terabytes": (
        lambda d, m: d["model"]["spec"]["options"]["backbone"].update(width=2**22), "are none of method 'proseg'"
    ),
    "a file of this machine": (
        lambda d, m: d["model"]["spec"]["options"]["backbone"].update(name="resnet34", weights="/etc/passwd"),
        r"'backbone\.weights' names a file"
    ),
    "options that there are not": (lambda d, m: d["model"]["spec"]["options"].update(x=1), "cannot be built as"),
}  # fmt: skip


@pytest.mark.parametrize("name", [*HOSTILE])
def test_a_hostile_file_is_refused_by_name_before_anything_of_it_is_used(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.chdir(tmp_path)
    change, message = HOSTILE[name]
    path = changed(whole, tmp_path / "hostile.mrbench", change)
    with pytest.raises(DataError, match=message) as caught:
        mrbench.load_model(path)
    assert "hostile.mrbench" in caught.value.message
    assert [found.name for found in tmp_path.rglob("*")] == ["hostile.mrbench"]


def test_what_is_packed_is_refused_before_it_is_unpacked(whole: Path, tmp_path: Path):
    bomb = tmp_path / "bomb.mrbench"
    bombs = {"weights-0.bin": bytes(2**24), "card.md": b" " * 2**24}
    for name, content in bombs.items():
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("model.json", b"{}", zipfile.ZIP_STORED)
            archive.writestr(name, content)
        with pytest.raises(DataError, match=f"{name} is packed"):
            mrbench.load_model(bomb)
    packed = changed(whole, tmp_path / "packed.mrbench", lambda d, m: None, zipfile.ZIP_DEFLATED)
    with pytest.raises(DataError, match="is packed"):
        mrbench.load_model(packed)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "Expecting value"),
        (b"[]", "is no object"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"format": 1, "a": 1e999}', "no finite number"),
        (b'{"format": NaN}', "no finite number"),
        (b'{"format": ' + b"9" * 10_000 + b"}", "Exceeds the limit"),
        (b"\xff\xfe", "codec can't decode"),
        (b'{"format": 1}', "is not what was written"),
        (b'{"format": "1"}', "is not what was written"),
        (b" " * (2**22 + 1), "declares 4194305 bytes"),
    ],
)  # fmt: skip
def test_absurd_facts_are_refused(tmp_path: Path, text: bytes, message: str):
    path = tmp_path / "absurd.mrbench"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.json", text)
        archive.writestr("card.md", "")
    with pytest.raises(DataError, match=message):
        mrbench.load_model(path)


def test_the_file_of_another_version_names_both(whole: Path, tmp_path: Path):
    path = changed(whole, tmp_path / "later.mrbench", lambda d, m: d.update(format=2, what="new"))
    with pytest.raises(IncompatibleError, match=r"later\.mrbench was written by another version(.|\n)*found:    2"):
        mrbench.load_model(path)


def test_a_method_that_is_not_installed_says_what_is_expected(whole: Path, tmp_path: Path):
    def elsewhere(name: str) -> Path:
        def change(document: Document, members: Members) -> None:
            document["model"]["spec"]["method"] = name
            document["model"]["plugins"] = {name: "mrbench-far 2.0"}

        return changed(whole, tmp_path / "far.mrbench", change)

    with pytest.raises(UsageError, match=r"far\.mrbench needs the method 'mrbench-far:x', which is not here") as caught:
        mrbench.load_model(elsewhere("mrbench-far:x"))
    assert caught.value.expected == "mrbench-far 2.0"
    assert "mrbench list methods" in caught.value.hint
    with pytest.raises(UsageError, match=r"needs the method 'tint\.py:tint'") as caught:
        mrbench.load_model(elsewhere("tint.py:tint"))
    assert caught.value.hint == "--plugin-file tint.py"


def test_other_code_is_refused_until_it_is_accepted_and_is_marked(whole: Path, tmp_path: Path):
    def change(document: Document, members: Members) -> None:
        document["model"]["spec"]["prediction_code"] = "0" * 64
        document["model"]["code"]["files"]["mrbench_proseg/method.py"] = "0" * 12

    path = changed(whole, tmp_path / "other.mrbench", change)
    said = r"other\.mrbench was trained with other code(.|\n)*code 0000000000000000 of proseg(.|\n)*method\.py of mrb"
    with pytest.raises(PluginError, match=said) as caught:
        mrbench.load_model(path)
    assert "--other-code" in caught.value.hint
    with pytest.warns(UserWarning, match=r"method\.py of mrbench_proseg"):
        model = mrbench.load_model(path, other_code=True)
    assert "method.py of mrbench_proseg" in model.other_code
    same = mrbench.load_model(whole)
    assert same.other_code == ""
    assert np.array_equal(model.sample(IMAGE, 3), same.sample(IMAGE, 3)), "only what is said of the code was changed"


def test_code_of_which_nothing_is_said_is_other_code(whole: Path, tmp_path: Path):
    path = changed(
        whole, tmp_path / "blank.mrbench", lambda d, m: d["model"]["spec"].update(training_code="", prediction_code="")
    )
    with pytest.raises(PluginError, match="trained with other code"):
        mrbench.load_model(path)


TINT = """\
'''One convolution.'''

import torch
from torch import nn

import mrbench

MRBENCH_API = "2"


@mrbench.method("tint", gives="consensus")
class Tint(mrbench.Method):
    def __init__(self, config, description):
        super().__init__(config, description)
        self.network = nn.Conv2d(1, 1, 3, padding=1)

    def consensus(self, features, noise):
        return self.network(features)[None]
"""


def test_a_method_of_a_plugin_file_goes_without_its_code_and_needs_the_same(tmp_path: Path):
    plugin, path = tmp_path / "tint.py", tmp_path / "tint.mrbench"
    plugin.write_text(TINT)
    write_untrained(path, "tint.py:tint", [plugin])
    assert b"Conv2d" not in path.read_bytes()
    with pytest.raises(UsageError, match="needs the method") as caught:
        mrbench.load_model(path)
    assert caught.value.hint == "--plugin-file tint.py"
    assert mrbench.load_model(path, plugin_files=plugin).sample(IMAGE).shape == (1, 32, 32)
    plugin.write_text(TINT.replace("'''One convolution.'''", "# A remark is no other code."))
    assert mrbench.load_model(path, plugin_files=plugin).other_code == ""
    plugin.write_text(TINT.replace("(features)[None]", "(features)[None] + 1"))
    with pytest.raises(PluginError, match=r"which differs in tint\.py"):
        mrbench.load_model(path, plugin_files=plugin)
    plugin.write_text(TINT.replace("1, 1, 3, padding=1", "1, 1, 5, padding=2"))
    with pytest.raises(DataError, match=r"network\.weight float32 1x1x5x5(.|\n)*network\.weight float32 1x1x3x3"):
        mrbench.load_model(path, plugin_files=plugin, other_code=True)
