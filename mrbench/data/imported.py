"""Containers in the data folder as data sets of their own names: what ``mrbench data import`` wrote there."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mrbench.cards import DatasetCard
from mrbench.data.folder import data_folder
from mrbench.errors import UsageError
from mrbench.naming import pick
from mrbench.registry import Plugin, Registry


@dataclass(frozen=True)
class ImportedSet(Plugin[DatasetCard]):
    """The data set that opens any container, with its file chosen: ``NAME.h5`` in the data folder.

    Attributes:
        option: that takes the file.
    """

    option: str = ""

    def load_config(self) -> Any:
        """The configuration class, its file chosen."""
        return super().load_config().with_defaults(**{self.option: container_name(self.name)})


def container_name(name: str) -> str:
    """The file of an imported set in the data folder."""
    return f"{name}.h5"


def imported_sets(registry: Registry, data: Path | None) -> list[ImportedSet]:
    """What lies in the data folder under a name that no installed data set has, by name; nothing is opened."""
    opener = next((plugin for plugin in registry.of_kind("dataset") if plugin.card.opens), None)
    if opener is None:
        return []
    names = sorted(path.stem for path in data_folder(data).glob("*.h5") if path.is_file())
    return [_imported(opener, name) for name in names if not is_installed(name, registry)]


def find_dataset(name: str, registry: Registry, data: Path | None) -> Plugin[Any]:
    """The data set of that name: an installed one, else one that was imported into the data folder.

    Raises:
        UnknownNameError: nothing answers to it; names the nearest.
        UsageError: several distributions provide it; names them.
    """
    known = [*registry.plugins["dataset"], *imported_sets(registry, data)]
    return pick("data set", name, known, hint=registry.remedy(name, "mrbench data list"))


def check_free(name: str, registry: Registry) -> None:
    """Refuses a name for an import that an installed data set has.

    Raises:
        UsageError: it has; says how to give another.
    """
    if is_installed(name, registry):
        raise UsageError(
            f"{name!r} is the name of an installed data set",
            expected="a name of its own, under which the imported one is found",
            hint=f"--name my-{name.lower()}",
        )


def is_installed(name: str, registry: Registry) -> bool:
    """Is there a plugin of that name, in whatever case? Some file systems do not tell them apart."""
    return any(name.lower() == plugin.name.lower() for plugin in registry.plugins["dataset"])


def _imported(opener: Plugin[DatasetCard], name: str) -> ImportedSet:
    record = replace(opener.card, name=name, opens="", summary="Imported into the data folder")
    return ImportedSet(record, opener.distribution, opener.distribution_version, opener.content, opener.card.opens)
