"""Writes a new plugin from the templates of this package, whole or not at all."""

import os
import shlex
import shutil
import uuid
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

from mrbench import MRBENCH_API, __version__
from mrbench.errors import UsageError
from mrbench.files import replaced
from mrbench.scaffold.names import Made, Names

MODULES: Mapping[Made, tuple[str, ...]] = {
    "method": ("__init__", "config", "method"),
    "fusion": ("__init__", "config", "fusion"),
    "dataset": ("__init__", "config", "dataset"),
    "metric": ("__init__", "metric"),
}
"""Of a package: the light one first."""


def write_plugin(names: Names, folder: Path) -> Path:
    """Writes a package or a single file into a folder; returns its path.

    Raises:
        UsageError: something of that name lies there.
        OSError: it cannot be written; nothing of it stays.
    """
    path = folder / (f"{names.stem}.py" if names.single else names.distribution)
    if os.path.lexists(path):
        raise UsageError(f"cannot write {path}: something of that name is there", hint="another name, or --folder DIR")
    folder.mkdir(parents=True, exist_ok=True)
    if names.single:
        with replaced(path) as temporary:
            temporary.write_text(_rendered(f"file/{names.kind}.py", names), encoding="utf-8")
    else:
        _write_tree(path, _package(names))
    return path


def next_commands(names: Names, path: Path) -> list[str]:
    """What to type next: take the plugin in (or look at it), check it, run it."""
    place = shlex.quote(str(path))
    own = f" --plugin-file {place}" if names.single else ""
    first = f"mrbench info {names.name}{own}" if names.single else f"pip install --no-build-isolation -e {place}"
    return [first, f"mrbench check {names.name}{own}", _run_command(names, own)]


def _run_command(names: Names, own: str = "") -> str:
    return _rendered(f"commands/{names.kind}.txt", names, own=own).strip()


def _package(names: Names) -> dict[str, str]:
    sources = {f"{names.module}/{module}.py": f"{names.kind}/{module}.py" for module in MODULES[names.kind]}
    sources |= {name: f"package/{name}" for name in ("pyproject.toml", "README.md")}
    sources[f"tests/test_{names.stem}.py"] = "package/test.py"
    run = _run_command(names)
    return {target: _rendered(source, names, run=run) for target, source in sources.items()}


def _rendered(source: str, names: Names, **more: str) -> str:
    text = (files(__package__) / "templates" / f"{source}.template").read_text(encoding="utf-8")
    words = {word: getattr(names, word) for word in ("kind", "name", "distribution", "stem", "module", "prefix")}
    return Template(text).substitute(words, api=MRBENCH_API, version=__version__, **more)


def _write_tree(path: Path, contents: Mapping[str, str]) -> None:
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        for name, text in contents.items():
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).write_text(text, encoding="utf-8")
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
