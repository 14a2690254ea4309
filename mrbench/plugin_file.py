"""A plugin in one file, without packaging: imported under the name of the file."""

import hashlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from mrbench.errors import PluginError, UsageError

FILE = "file"
"""Stands for a distribution in the names of what a plugin file provides."""


def file_digest(path: Path) -> str:
    """The first hex digits of the file's SHA-256: its version.

    Raises:
        UsageError: no readable file.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    except OSError as error:
        raise UsageError(f"cannot read the plugin file {path}", found=error.strerror or str(error)) from None


def import_file(path: Path) -> ModuleType:
    """The file as a module of its own name, so that ``"STEM:Class"`` finds its classes.

    Raises:
        UsageError: its name is no module's, or another module has it.
        PluginError: it cannot be imported; holds the end of the traceback.
    """
    name = path.stem
    if path.suffix != ".py" or not name.isidentifier():
        raise UsageError(f"cannot import the plugin file {path}", expected="a name like my_method.py")
    known = sys.modules.get(name)
    if known is not None and Path(getattr(known, "__file__", None) or "").resolve() == path.resolve():
        return known
    if known is not None or importlib.util.find_spec(name) is not None:
        raise UsageError(f"the plugin file {path} has the name of another module, {name!r}", hint="rename the file")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        where = "".join(traceback.format_exception(error)[-2:]).strip()
        raise PluginError(f"plugin file {path} cannot be imported", found=where) from error
    return module
