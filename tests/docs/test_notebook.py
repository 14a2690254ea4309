"""docs/notebook.ipynb works as it is stored: its cells are run, in order, and leave what stands below them."""

import base64
import importlib.util
import json
import re
import socket
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "notebook.ipynb"
NUMBER = re.compile(r"-?\d+\.\d+")
NEAR = 0.05
"""Trainings are bit for bit the same at the same thread count of one processor only."""

FIELDS = {
    "markdown": {"cell_type", "id", "metadata", "source"},
    "code": {"cell_type", "id", "metadata", "source", "execution_count", "outputs"},
    "stream": {"output_type", "name", "text"},
    "execute_result": {"output_type", "execution_count", "metadata", "data"},
    "display_data": {"output_type", "metadata", "data"},
}
"""Of cells and outputs in the notebook format 4.5."""


def stored() -> dict[str, Any]:
    return json.loads(PAGE.read_text(encoding="utf-8"))


def stored_outputs() -> list[dict[str, Any]]:
    return [output for cell in stored()["cells"] for output in cell.get("outputs", [])]


def runner() -> Any:
    spec = importlib.util.spec_from_file_location("run_notebook", DOCS / "run_notebook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def texts(output: dict[str, Any]) -> dict[str, str]:
    found = {"printed": output["text"]} if "text" in output else output["data"]
    return {kind: "".join(lines) for kind, lines in found.items() if kind != "image/png"}


def picture(output: dict[str, Any]) -> bytes:
    return base64.b64decode(output.get("data", {}).get("image/png", ""))


def size(png: bytes) -> tuple[int, int]:
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])


def test_every_cell_leaves_what_is_stored_below_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MRBENCH_DATA", str(tmp_path / "data"))
    mpl.use("Agg")
    module, notebook = runner(), stored()
    for cell, found in zip(module.code_cells(notebook), module.outputs(notebook), strict=True):
        assert [one["output_type"] for one in found] == [one["output_type"] for one in cell["outputs"]]
        for one, other in zip(found, cell["outputs"], strict=True):
            assert texts(one).keys() == texts(other).keys()
            for kind, text in texts(one).items():
                agree(text, texts(other)[kind])
            assert bool(picture(one)) == bool(picture(other))
            assert size(picture(one)) == pytest.approx(size(picture(other)), rel=0.05)


def agree(one: str, other: str) -> None:
    """Words and whole numbers are the same, decimals near each other."""
    assert _words(one) == _words(other)
    assert _decimals(one) == pytest.approx(_decimals(other), abs=NEAR), "run: python docs/run_notebook.py"


def _words(text: str) -> list[str]:
    return NUMBER.sub("#", text).split()  # columns of a frame widen with a sign


def _decimals(text: str) -> list[float]:
    return [float(number) for number in NUMBER.findall(text)]


def test_it_is_a_notebook_of_format_4_5():
    notebook = stored()
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["language"] == "python"
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", own) for own in ids)
    for cell in notebook["cells"]:
        assert set(cell) == FIELDS[cell["cell_type"]]
        for output in cell.get("outputs", []):
            assert set(output) == FIELDS[output["output_type"]]


def test_its_pictures_are_small_png_files():
    pictures = [own for output in stored_outputs() if (own := picture(output))]
    assert len(pictures) == 2
    assert all(own.startswith(b"\x89PNG\r\n\x1a\n") for own in pictures)
    assert all(len(own) < 100_000 for own in pictures)


def test_it_names_no_machine_and_no_folder_of_one():
    pictures = {output["data"]["image/png"] for output in stored_outputs() if picture(output)}
    text = PAGE.read_text(encoding="utf-8")
    for own in pictures:
        text = text.replace(json.dumps(own), "")  # letters of base64 may spell anything
    assert not re.search(r"(?<![\w<.:/+])/(home|root|tmp|usr|var|opt|work|mnt|Users)/|[A-Z]:\\", text)
    assert not re.search(rf"\b{re.escape(socket.gethostname())}\b", text)


def test_its_links_lead_somewhere():
    text = "".join("".join(cell["source"]) for cell in stored()["cells"])
    targets = re.findall(r"\]\(([^)#]+)\)", text)
    assert targets
    assert all((DOCS / target).exists() for target in targets)
