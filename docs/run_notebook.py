"""Runs docs/notebook.ipynb without Jupyter and stores what its cells print, show and draw: python docs/run_notebook.py.

A test holds the stored texts against a new run.
"""

import ast
import base64
import contextlib
import io
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "notebook.ipynb"
DPI = 90


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """The cells that are run, in order."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def outputs(notebook: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """What each code cell leaves, as the notebook format has it; cells are run in the current folder."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(code_cells(notebook), 1):
        yield list(_run("".join(cell["source"]), names, number))


def _run(source: str, names: dict[str, Any], number: int) -> Iterator[dict[str, Any]]:
    *body, last = ast.parse(source).body
    value = last.value if isinstance(last, ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(ast.Module(body if value else [*body, last], []), PAGE.name, "exec"), names)
        shown = eval(compile(ast.Expression(value), PAGE.name, "eval"), names) if value else None
    if text := printed.getvalue():
        yield {"output_type": "stream", "name": "stdout", "text": _lines(text)}
    if shown is not None:
        yield {"output_type": "execute_result", "execution_count": number, "metadata": {}, "data": _forms(shown)}
    for picture in _figures():
        yield {"output_type": "display_data", "metadata": {}, "data": {"image/png": picture}}


def _forms(shown: Any) -> dict[str, list[str]]:
    html = getattr(shown, "_repr_html_", lambda: None)()
    return ({"text/html": _lines(html)} if html else {}) | {"text/plain": _lines(repr(shown))}


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _figures() -> Iterator[str]:
    """PNG in base64 of every figure that is open; closes it."""
    import matplotlib.pyplot as plt

    for number in plt.get_fignums():
        file = io.BytesIO()
        plt.figure(number).savefig(file, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": None})
        plt.close(number)
        yield base64.b64encode(file.getvalue()).decode() + "\n"


def main() -> None:
    """Writes the outputs of a run in an empty folder into the notebook."""
    import matplotlib as mpl

    mpl.use("Agg")
    notebook = json.loads(PAGE.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        os.environ["MRBENCH_DATA"] = str(Path(folder) / "data")
        for number, (cell, found) in enumerate(zip(code_cells(notebook), outputs(notebook), strict=True), 1):
            cell |= {"execution_count": number, "outputs": found}
    PAGE.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
