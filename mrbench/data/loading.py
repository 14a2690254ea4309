"""Data sets by name: from a plugin with its options to cases."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrbench.arguments import StrPath, path_of, paths_of
from mrbench.data.folder import data_folder
from mrbench.data.imported import ImportedSet, container_name, find_dataset
from mrbench.errors import DataError, PluginError
from mrbench.places import blamed, of_function
from mrbench.registry import Plugin, discover_with_warnings

if TYPE_CHECKING:
    from mrbench.configuration import Config
    from mrbench.data.caseset import CaseSet


def load_dataset(
    name: str, /, *, data: StrPath | None = None, plugin_files: StrPath | Iterable[StrPath] = (),
    **options: Any,
) -> "CaseSet":  # fmt: skip
    """The cases of a data set, with its splits: what ``mrbench run`` trains and tests on.

    Args:
        name: as on the command line: of an installed data set, or of one that was imported into the data folder.
        data: the folder of prepared data; None: ``$MRBENCH_DATA``, else the user's data folder.
        plugin_files: Python files with plugins of your own; one may stand alone.
        options: of the data set, as ``--set`` takes them; ``**{"part.option": 3}`` reaches into a nested one.

    Raises:
        UnknownNameError: no such data set or option; names the nearest.
        UsageError: an option with a wrong value.
        DataAbsentError: its files are not there; says how to get them and which command prepares them.
        DataError: they are there and wrong; names the case.
    """
    folder = None if data is None else path_of("data", data)
    plugin = find_dataset(name, discover_with_warnings(paths_of("plugin_files", plugin_files)), folder)
    return cases_of(plugin, configured(plugin, options), folder)


def configured(plugin: Plugin[Any], options: Mapping[str, Any]) -> "Config":
    """A plugin's configuration from values or from the texts of a command line.

    Raises:
        UsageError: an option that it does not have, or one with a wrong value.
    """
    config: Config = plugin.load_config().parse(options, owner=plugin.key)
    return config


def cases_of(plugin: Plugin[Any], config: "Config", data: Path | None = None) -> "CaseSet":
    """The cases of a data set under a configuration, from a folder of prepared data; None: as commands find it.

    Raises:
        DataAbsentError, DataError: as :func:`load_dataset`.
        PluginError: whatever else the data set raises, here or while a case is read; names its file and line.
    """
    from mrbench.data.plugin_pixels import PluginPixels, PluginRedraw

    load = plugin.load()
    with blamed(f"data set {plugin.key!r} cannot be loaded", plugin.modules):
        cases = load(config, data_folder(data))
    _check_loaded(cases, plugin, load)
    own = type(cases.pixels).__module__.partition(".")[0] in plugin.modules
    pixels = PluginPixels(cases.pixels, cases.ids, plugin.key, plugin.modules) if own else cases.pixels
    redraw = cases.redraw and PluginRedraw(cases.redraw, cases.ids, plugin.key, plugin.modules)
    return replace(cases, pixels=pixels, redraw=redraw) if own or redraw else cases


def _check_loaded(cases: Any, plugin: Plugin[Any], load: Any) -> None:
    from mrbench.data.caseset import CaseSet

    if not isinstance(cases, CaseSet):
        raise PluginError(
            f"data set {plugin.key!r} cannot be loaded: it returned no CaseSet",
            expected="load(config, folder) returns a CaseSet",
            found=f"{cases!r:.80}",
            place=of_function(load),
        )
    if isinstance(plugin, ImportedSet) and cases.description.name != plugin.name:
        raise DataError(
            f"the container of {plugin.name!r} holds another data set",
            expected=f"the name {plugin.name!r}",
            found=repr(cases.description.name),
            hint=f"name the file {container_name(cases.description.name)}, as the data set is named",
        )
