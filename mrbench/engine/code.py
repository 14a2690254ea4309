"""The code that a number is a function of: digests of syntax trees, in which comments, docstrings and layout are not.

Of a method that is its import package, or its plugin file, with what it imports of mrbench, and the harness's own code
of a training and of a prediction with all that this imports.
"""

import ast
import hashlib
import importlib.util
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mrbench.digests import digest_json
from mrbench.engine.code_cache import CodeCache
from mrbench.engine.commit import commit_of
from mrbench.errors import PluginError

TRAINING = ("mrbench.engine.train", "mrbench.engine.initial", "mrbench.interfaces.method")
"""The harness's code that trained weights are a function of; what these modules import belongs to it."""

PREDICTION = ("mrbench.engine.predict", "mrbench.engine.source", "mrbench.engine.sent_draws")
"""Its code that draws, and what is counted of them, are a function of besides."""

SCORES = ("mrbench.metrics.scoring", "mrbench.metrics.packing")
"""Its code that scores are a function of besides that of the metric."""

LEFT_OUT = frozenset({
    # They tell, or keep what others computed.
    "mrbench", "mrbench.errors", "mrbench.places", "mrbench.visible", "mrbench.files",
    # They find plugins and options, whose values are in the digests of cells.
    "mrbench.hooks", "mrbench.registry", "mrbench.cards", "mrbench.configuration", "mrbench.engine.cell",
    "mrbench.engine.conditions", "mrbench.engine.devices",
    # They give cases and splits, which have digests of their own.
    "mrbench.data.loading", "mrbench.data.container", "mrbench.data.checks", "mrbench.data.splits", "mrbench.digests",
})  # fmt: skip
"""Modules that no number is a function of by their code."""

COMPILED = (".so", ".pyd")
"""Extension modules, which are digested byte by byte."""

FOLLOWED = "mrbench"
"""Imports of packages named so are followed: mrbench itself, and plugins that others build upon."""

DIGITS = 12
"""Hex digits of a file's digest: it tells files of one place apart."""

Find = Callable[[str], "Path | None"]
"""The folder of a top-level package, or the file of a module; None where there is none."""


@dataclass(frozen=True)
class Code:
    """Files with the digests of their code, by names such as ``mrbench_tab/network.py``.

    Attributes:
        trained: what trained weights are a function of; empty where nothing is trained.
        drawn: what draws are a function of, ``trained`` included.
    """

    trained: Mapping[str, str]
    drawn: Mapping[str, str]

    @cached_property
    def training(self) -> str:
        """Digest of the training's code; empty where nothing is trained."""
        return digest_json(dict(self.trained)) if self.trained else ""

    @cached_property
    def prediction(self) -> str:
        """Digest of the code of training and prediction."""
        return digest_json(dict(self.drawn))


@dataclass(frozen=True)
class _Source:
    """One file as it was read: the digest of its code, and the modules that it imports."""

    digest: str
    imports: tuple[str, ...]


_CACHE = CodeCache()

_SOURCES: dict[Path, tuple[tuple[int, int], _Source]] = {}
"""What was read in this process, while time and size of the file stay the same."""


def code_of(modules: Iterable[str], *, trains: bool, find: Find | None = None) -> Code:
    """The code of a method or a fusion as it lies on disk.

    Args:
        modules: those that it is in; of each the whole import package counts.
        trains: does it learn?
        find: where packages lie; None: where Python imports them from.

    Raises:
        PluginError: a module that is not there, or cannot be read as Python.
    """
    tree = _Tree(find or installed)
    own = [name for module in modules for name in tree.package(module)]
    trained = tree.closed([*own, *TRAINING]) if trains else {}
    return Code(trained, tree.closed([*own, *(TRAINING if trains else ()), *PREDICTION]))


def closure_digest(module: str) -> str:
    """Digest of the code of a metric: of its module, or its package, with the harness's that reduces scores.

    Raises:
        PluginError: as for :func:`code_of`.
    """
    tree = _Tree(installed)
    return digest_json(tree.closed([*tree.package(module), *SCORES]))


def installed(top: str) -> Path | None:
    """Where a top-level package or module lies, without importing it."""
    spec = importlib.util.find_spec(top)
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin) if spec.origin else None


class _Tree:
    """Modules found in one environment."""

    def __init__(self, find: Find) -> None:
        self.find, self.tops, self.files = find, dict[str, Path | None](), dict[str, Path | None]()

    def package(self, module: str) -> list[str]:
        """The names of all modules of a module's package; the module alone where it is one of mrbench's.

        Raises:
            PluginError: it is not there.
        """
        top = module.partition(".")[0]
        place = self._top(top)
        if place is None or not place.exists():
            raise PluginError(f"the code of {module!r} is not found", expected="a module or package of Python files")
        if top == "mrbench":
            return [module]
        if not place.is_dir():
            return [top]
        files = sorted(path for path in place.rglob("*") if path.suffix in (".py", *COMPILED))
        return [".".join((top, *_parts(path.relative_to(place)))) for path in files]

    def closed(self, names: Collection[str]) -> dict[str, str]:
        """Digests by file of modules and all that they import of mrbench and of packages named after it."""
        found: dict[str, str] = {}
        todo, seen = [*names], set[str]()
        while todo:
            name = todo.pop()
            if not name or name in seen or name in LEFT_OUT:
                continue
            seen.add(name)
            path = self.file(name)
            if path is None:  # something in a module
                todo.append(name.rpartition(".")[0])
            elif path.is_file():
                source = read_source(path, name)
                found[self._told(name, path)] = source.digest
                todo += source.imports
        return dict(sorted(found.items()))

    def _top(self, top: str) -> Path | None:
        if top not in self.tops:
            self.tops[top] = self.find(top)
        return self.tops[top]

    def file(self, name: str) -> Path | None:
        """Where a module lies; None where the name is that of something in a module, or of nothing."""
        if name not in self.files:
            self.files[name] = self._file(name)
        return self.files[name]

    def _file(self, name: str) -> Path | None:
        above, _, last = name.rpartition(".")
        if not above:
            place = self._top(name)
            return place / "__init__.py" if place is not None and place.is_dir() else place
        package = self.file(above)
        if package is None or package.name != "__init__.py":
            return None
        own = package.with_name(last)
        for path in (own / "__init__.py", own.with_name(f"{last}.py")):
            if path.is_file():
                return path
        if own.is_dir():
            return own / "__init__.py"  # a folder of modules without a file of its own
        return next((path for end in COMPILED for path in package.parent.glob(f"{last}.*{end}")), None)

    def _told(self, name: str, path: Path) -> str:
        top = name.partition(".")[0]
        place = self._top(top)
        return path.name if place is None or not place.is_dir() else f"{top}/{path.relative_to(place).as_posix()}"


def _parts(path: Path) -> tuple[str, ...]:
    name = path.name.partition(".")[0]
    return path.parts[:-1] if name == "__init__" else (*path.parts[:-1], name)


def read_source(path: Path, module: str) -> _Source:
    """The digest of a file's code and what it imports, read once while the file stays the same.

    Raises:
        PluginError: it cannot be read as Python; names file and line.
    """
    try:
        stat = path.stat()
        stamp = stat.st_mtime_ns, stat.st_size
        known = _SOURCES.get(path)
        if known is None or known[0] != stamp:
            known = _SOURCES[path] = stamp, _read(path.read_bytes(), path, module)
    except (OSError, ValueError, SyntaxError, RecursionError) as error:
        raise PluginError(
            f"the code of {module!r} cannot be read, so that nothing could tell that it changed",
            expected="Python source in UTF-8",
            found=f"{path}: {type(error).__name__}: {error}"[:300],
            hint="mend the file, or move it out of the package",
        ) from None
    return known[1]


def _read(content: bytes, path: Path, module: str) -> _Source:
    digest = hashlib.sha256(content).hexdigest()
    if path.name.endswith(COMPILED):
        return _Source(digest[:DIGITS], ())
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    key = f"{digest[:32]} {package}"  # relative imports mean something in a package alone
    known = _CACHE.get(key)
    if known is None:
        known = _parsed(content, package)
        _CACHE.put(key, known)
    return _Source(*known)


def _parsed(content: bytes, package: str) -> tuple[str, tuple[str, ...]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its author's business, such as an escape that will be an error
        tree = ast.parse(content)
    followed = dict.fromkeys(name for name in _imports(tree, package) if name.startswith(FOLLOWED))
    return digest_of_tree(tree), tuple(followed)


def digest_of_tree(tree: ast.AST) -> str:
    """Digest of what code does: names, structure and constants, without docstrings and places."""
    parts: list[str] = []
    _tell(tree, parts.append)
    return hashlib.sha256("".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]


def _tell(value: Any, add: Callable[[str], None]) -> None:
    # Not ast.dump: what it says of absent parts differs between versions of Python.
    if isinstance(value, ast.Constant):
        add(repr(value.value))
    elif isinstance(value, ast.AST):
        add(f"{type(value).__name__}(")
        for name in value._fields:
            part = getattr(value, name, None)
            if part is not None and part != [] and name not in ("ctx", "type_comment"):
                add(f"{name}=")
                _tell(part, add)
        add(")")
    elif isinstance(value, list):
        add("[")
        for one in value:
            if not _is_text(one):
                _tell(one, add)
                add(",")
        add("]")
    else:
        add(repr(value))


def _is_text(node: Any) -> bool:
    # A docstring, or what stands below a name to explain it.
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _imports(tree: ast.AST, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{_absolute(node, package)}.{alias.name}" for alias in node.names)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
    return ".".join([*above, *([node.module] if node.module else [])])


def recorded(code: Code, modules: Iterable[str]) -> dict[str, Any]:
    """What a record holds of the code that a cell was computed with.

    Args:
        modules: those that the method is in: what :func:`code_of` finds its code by.
    """
    tops = dict.fromkeys(name.partition("/")[0] for name in code.drawn)
    places = {top: installed(top.removesuffix(".py")) for top in tops}
    commits = {top: commit_of(place) for top, place in places.items() if place is not None}
    return {"modules": sorted(modules), "files": dict(code.drawn), "commits": {k: v for k, v in commits.items() if v}}


def differing(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Names of the files that differ, or are in one of both only, those of plugins first."""
    names = [name for name in {*before, *now} if before.get(name) != now.get(name)]
    return sorted(names, key=lambda name: (name.startswith("mrbench/"), name))


def in_words(files: Collection[str], at_most: int = 3) -> str:
    """Files as people call them: ``network.py of mrbench_tab``; the first so many and a count of the others."""
    told = [f"{path or top}{f' of {top}' * bool(path)}" for top, _, path in (name.partition("/") for name in files)]
    more = len(told) - at_most
    return ", ".join(told[:at_most]) + (f" and {more} more" if more > 0 else "")
