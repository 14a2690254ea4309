"""Discovery: every installed plugin by its entry point, each one isolated from the others.

pluggy calls the hooks; the loading loop is our own, because pluggy's lets one broken plugin stop every command,
silently drops a second plugin of the same name, and imports whatever it finds.
"""

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, Literal, TypeVar

import pluggy

from mrbench import MRBENCH_API, hooks
from mrbench.bounded import said, traceback_of
from mrbench.cards import DECLARED, NO_OPTIONS, DatasetCard, MethodCard, MetricCard, PluginCard, load_attribute
from mrbench.errors import PluginError, UsageError
from mrbench.naming import BUILT_IN, key, pick, qualified
from mrbench.plugin_file import PluginFile, blaming, file_of

GROUP = "mrbench.plugins"
NAME = re.compile(r"[a-z0-9]+([-_@.][a-z0-9]+)*")
CODE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")

Kind = Literal["method", "dataset", "metric"]
KINDS: dict[Kind, type[PluginCard]] = {"method": MethodCard, "dataset": DatasetCard, "metric": MetricCard}
SPOKEN: dict[Kind, str] = {"method": "method", "dataset": "data set", "metric": "metric"}

R = TypeVar("R", bound=PluginCard)


@dataclass(frozen=True)
class Plugin(Generic[R]):
    """A record with the distribution that it comes from.

    Attributes:
        content: digest of the plugin's code where no version of a distribution stands for it: a single file's.
    """

    card: R
    distribution: str
    distribution_version: str
    content: str = ""

    @property
    def version(self) -> str:
        """Of the definition, as it enters digests; every edit of a plugin file is a version of its own."""
        return f"{self.card.version}+{self.content}" if self.content else self.card.version

    @property
    def name(self) -> str:
        """The bare name."""
        return self.card.name

    @property
    def qualified(self) -> str:
        """``distribution:name``, which always works."""
        return qualified(self)

    @property
    def key(self) -> str:
        """The name in files and tables: bare for built-ins, ``distribution:name`` for others."""
        return key(self)

    @property
    def modules(self) -> frozenset[str]:
        """Top-level modules and packages that its code is in."""
        paths = self.card.code, getattr(self.card, "config", NO_OPTIONS)
        return frozenset(path.partition(":")[0].partition(".")[0] for path in paths if path != NO_OPTIONS)

    def load(self) -> Any:
        """The class or function behind the card.

        Raises:
            PluginError: it cannot be imported; names the plugin and what is missing.
        """
        found = self._imported(self.card.code, "", "an importable class or function")
        if not callable(found) or (getattr(self.card, "kind", "") == "method" and not isinstance(found, type)):
            raise self._unfit(self.card.code, "", "a class for a method, a function for all else", found)
        if isinstance(self.card, MetricCard) and not hasattr(found, DECLARED):
            raise self._unfit(self.card.code, "", "a function under @mrbench.metric", found)
        return found

    def load_config(self) -> Any:
        """The configuration class of a method, fusion or data set; errors as for :meth:`load`."""
        path, what = getattr(self.card, "config", ""), "its configuration "
        found = self._imported(path, what, "an importable class")
        if not isinstance(found, type):
            raise self._unfit(path, what, "a class", found)
        return found

    def check(self) -> None:
        """Loads what the card names; errors as for :meth:`load`."""
        self.load()
        if hasattr(self.card, "config"):
            self.load_config()

    def _imported(self, path: str, what: str, expected: str) -> Any:
        try:
            return load_attribute(path)
        except Exception as error:
            raise self._unfit(path, what, expected, error) from error

    def _unfit(self, path: str, what: str, expected: str, found: Any) -> PluginError:
        told = f"{type(found).__name__}: {said(found)}" if isinstance(found, Exception) else f"{found!r:.80}"
        return PluginError(f"plugin {self.qualified!r} cannot load {what}{path!r}", expected=expected, found=told)


@dataclass(frozen=True)
class Quarantined:
    """A plugin that was set aside: it harms nothing, and nothing of it can be used."""

    plugin: str
    distribution: str
    reason: str
    traceback: str = ""


@dataclass(frozen=True)
class Observer:
    """A plugin module with observer hooks.

    Attributes:
        name: of its entry point, or the stem of its file.
        summary: the first line of its docstring.
        hook: ``hook.mrbench_run_start(run=...)`` and so on call this module's implementations alone.
    """

    name: str
    distribution: str
    summary: str
    hook: pluggy.HookRelay

    @property
    def key(self) -> str:
        """Its shortest name that always works."""
        return key(self)


@dataclass
class Registry:
    """All plugins found, by kind.

    Attributes:
        plugins: methods, data sets and metrics; those of the kinds that were asked for.
        observers: what ``mrbench run --observe`` can name.
        quarantined: what was set aside.
        files: plugin files by name, with their paths as given.
    """

    plugins: dict[Kind, list[Plugin[Any]]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    observers: list[Observer] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)

    def add(self, entry: EntryPoint) -> None:
        """Loads one entry point; whatever it does wrong sets it aside and is remembered."""
        distribution, version = _provider(entry.dist)
        try:
            found = _Module(entry.load(), entry.name, self.plugins)
        except (Exception, SystemExit) as error:
            reason = error.what if isinstance(error, PluginError) else f"{type(error).__name__}: {said(error)}"
            self.quarantined.append(Quarantined(entry.name, distribution, reason, traceback_of(error)))
            return
        self._add_module(found, distribution, version)

    def add_file(self, path: Path) -> None:
        """Loads a plugin from one file; its names are ``my_file.py:NAME``, and bare while they are unique.

        The same file a second time changes nothing.

        Raises:
            UsageError: no readable file, or another file or module of its name.
            PluginError: whatever it does wrong; it was asked for, so nothing is set aside.
        """
        file = PluginFile.read(path)
        if self._has(file):
            return
        with blaming(file):
            found = _Module(file.module(), file.path.stem, KINDS)
            found.check_names()
            for records in found.records.values():
                for record in records:
                    Plugin(record, file.name, file.digest).check()
        self._add_module(found, file.name, file.digest, file.digest)
        self.files[file.name] = path

    def _has(self, file: PluginFile) -> bool:
        known = self.files.get(file.name)
        if known is not None and known.resolve() != file.path:
            raise UsageError(
                f"two plugin files are named {file.name}", found=f"{known} and {file.path}", hint="rename one of them"
            )
        return known is not None

    def _add_module(self, found: "_Module", distribution: str, version: str, content: str = "") -> None:
        for kind, records in found.records.items():
            if kind in self.plugins:
                self._add_records(kind, [Plugin(r, distribution, version, content) for r in records], found.name)
        if found.observes:
            self.observers.append(Observer(found.name, distribution, found.summary, found.manager.hook))

    def _add_records(self, kind: Kind, plugins: list[Plugin[Any]], entry: str) -> None:
        taken = {plugin.qualified for plugin in self.plugins[kind]}
        for plugin in plugins:
            if plugin.qualified in taken:
                reason = f"a second {SPOKEN[kind]} named {plugin.qualified!r}; the first one stays"
                self.quarantined.append(Quarantined(entry, plugin.distribution, reason))
            else:
                taken.add(plugin.qualified)
                self.plugins[kind].append(plugin)

    def of_kind(self, kind: Kind) -> list[Plugin[Any]]:
        """The plugins of a kind: built-ins first, then by name."""
        return sorted(self.plugins[kind], key=lambda p: (p.distribution != BUILT_IN, p.card.name, p.distribution))

    def names(self, kind: Kind) -> list[str]:
        """The shortest name of every plugin of a kind."""
        return [plugin.key for plugin in self.of_kind(kind)]

    def get(self, kind: Kind, name: str) -> Plugin[Any]:
        """The plugin of that name: ``distribution:name``, or a bare name while it is unique. Built-ins keep theirs.

        Raises:
            UnknownNameError: nothing answers to it; names the nearest.
            UsageError: several distributions provide it; names them.
        """
        return pick(SPOKEN[kind], name, self.plugins[kind], hint=self.remedy(name, f"mrbench list {kind}s"))

    def remedy(self, name: str, otherwise: str) -> str:
        """What to type where nothing is called ``name``: the plugin file that it is of, where that was not given.

        A bare name is of the file that ``mrbench new NAME --file`` writes, where one lies in the current folder.
        """
        file = file_of(name) or _file_here(name)
        return f"--plugin-file {file}" if file and file not in self.files else otherwise

    def files_with(self, kind: Kind) -> tuple[Path, ...]:
        """The plugin files that provide something of a kind, as given."""
        providers = {plugin.distribution for plugin in self.plugins[kind]}
        return tuple(path for name, path in self.files.items() if name in providers)

    def warnings(self) -> list[str]:
        """One line per plugin set aside and per built-in name that another distribution uses too."""
        lines = [
            f"plugin {q.plugin!r} of {q.distribution!r} is set aside: {q.reason.splitlines()[0]}"
            for q in self.quarantined
        ]
        for kind, plugins in self.plugins.items():
            own = {p.name for p in plugins if p.distribution == BUILT_IN}
            lines += [
                f"{SPOKEN[kind]} {p.card.name!r} means the built-in one; say {p.qualified!r} for the other"
                for p in plugins
                if p.distribution != BUILT_IN and p.card.name in own
            ]
        return lines


def discover(
    entries: Iterable[EntryPoint] | None = None, files: Iterable[Path] = (), kinds: Iterable[Kind] = tuple(KINDS)
) -> Registry:
    """All plugins of the environment, whatever state they are in, and those of single files.

    Args:
        kinds: what to ask the plugins for; the cards of metrics stand beside their functions, and cost NumPy.

    Raises:
        UsageError, PluginError: as :meth:`Registry.add_file`.
    """
    registry = Registry({kind: [] for kind in kinds})
    for entry in sorted(entry_points(group=GROUP) if entries is None else entries, key=_order):
        registry.add(entry)
    for path in files:
        registry.add_file(path)
    return registry


def discover_with_warnings(files: Iterable[Path] = ()) -> Registry:
    """:func:`discover` for a caller in Python: a warning for each plugin that was set aside."""
    registry = discover(files=files)
    for line in registry.warnings():
        warnings.warn(line, stacklevel=3)
    return registry


def _file_here(name: str) -> str:
    file = f"{name.replace('-', '_')}.py"
    return file if NAME.fullmatch(name) and Path(file).is_file() else ""


def _order(entry: EntryPoint) -> tuple[bool, str, str]:
    distribution, _ = _provider(entry.dist)
    return distribution != BUILT_IN, distribution, entry.name


@lru_cache(maxsize=256)
def _provider(distribution: Distribution | None) -> tuple[str, str]:
    # Name and version; read once, because every look at them parses the distribution's metadata anew.
    return (distribution.name, distribution.version) if distribution else ("unknown", "")


class _Module:
    """A plugin module, read: its cards by kind, and whether it observes runs."""

    def __init__(self, module: ModuleType, name: str, kinds: Iterable[Kind]) -> None:
        _check_interface(module)
        self.name = name
        self.summary = (module.__doc__ or "").strip().partition("\n")[0]
        # One manager per plugin: a faulty hook of one cannot reach another.
        self.manager = pluggy.PluginManager(hooks.PROJECT)
        self.manager.add_hookspecs(hooks)
        self.manager.register(module, name)
        self.manager.check_pending()
        self.declared = _declared(module)
        self.records = {kind: self._records(kind) for kind in kinds}
        self.observes = any(getattr(self.manager.hook, hook).get_hookimpls() for hook in hooks.OBSERVER_HOOKS)

    def check_names(self) -> None:
        """Refuses a module that provides nothing, and two records of one kind and name."""
        if not any(self.records.values()) and not self.observes:
            decorators = ", ".join(f"@mrbench.{kind}" for kind in ("method", "fusion", "dataset", "metric"))
            expected = f"{decorators}, @hookimpl on a hook such as mrbench_methods(), or an observer hook"
            raise PluginError("it provides nothing", expected=expected)
        for kind, records in self.records.items():
            names = [record.name for record in records]
            if len(set(names)) < len(names):
                raise PluginError(f"two {kind}s have one name", found=", ".join(names))

    def _records(self, kind: Kind) -> Sequence[PluginCard]:
        answers = getattr(self.manager.hook, f"mrbench_{kind}s")()
        returned = [_checked(card, kind) for answer in answers for card in _iterated(answer, kind)]
        own = (card for card in self.declared if isinstance(card, KINDS[kind]))
        return [*returned, *(_checked(card, kind) for card in own if not any(card is one for one in returned))]


def _declared(module: ModuleType) -> list[PluginCard]:
    # What a module imports is another's, and a subclass has no card of its own.
    own = [one for one in vars(module).values() if getattr(one, "__module__", None) == module.__name__]
    cards = (getattr(one, "__dict__", {}).get(DECLARED) for one in own)
    return list({id(card): card for card in cards if card is not None}.values())


def _check_interface(module: ModuleType) -> None:
    stated = getattr(module, "MRBENCH_API", None)
    if stated is None:
        raise PluginError(f'it does not say which interface it is written for; add MRBENCH_API = "{MRBENCH_API}"')
    if str(stated).split(".", maxsplit=1)[0] != MRBENCH_API:
        remedy = "docs/moving.md says how to move it" if str(stated).startswith("1") else "mrbench --version"
        found = f"it is written for interface {stated!r}, this is mrbench with interface {MRBENCH_API!r}"
        raise PluginError(f"{found}: {remedy}")


def _iterated(answer: Any, kind: Kind) -> Iterator[Any]:
    if not isinstance(answer, list | tuple):
        raise PluginError(f"mrbench_{kind}s() must return a list of cards, not {type(answer).__name__}")
    yield from answer


def _checked(given: Any, kind: Kind) -> PluginCard:
    record = getattr(given, DECLARED, given)
    if not isinstance(record, KINDS[kind]):
        raise PluginError(f"mrbench_{kind}s() must return {KINDS[kind].__name__}s, not {type(record).__name__}")
    if not NAME.fullmatch(record.name):
        raise PluginError(f"{kind} name {record.name!r} must be lower-case words joined by hyphens")
    if not CODE.fullmatch(record.code):
        raise PluginError(f"code {record.code!r} of {kind} {record.name!r} must read 'module:attribute'")
    return record
