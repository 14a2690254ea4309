"""The commands of other distributions, and whether they can be loaded."""

from collections.abc import Collection, Sequence

from mrbench.bounded import traceback_of
from mrbench.doctor.names import twice
from mrbench.doctor.section import Section
from mrbench.errors import PluginError
from mrbench.naming import qualified
from mrbench.plugin_commands import PluginCommand


def commands(found: Sequence[PluginCommand], built_in: Collection[str]) -> Section:
    """Each command, loaded once; ``built_in`` are the names that mrbench's own have."""
    faults = {qualified(one): _fault(one) for one in found}
    broken = {name: fault for name, fault in faults.items() if fault is not None}
    return Section(
        title="commands",
        rows=[(name, "cannot be loaded" if fault else "ready") for name, fault in faults.items()],
        facts={name: fault.message if fault else "" for name, fault in faults.items()},
        attention=[f"{fault.what}: {fault.found.splitlines()[0]}" for fault in broken.values()],
        notes=twice("command", found, built_in),
        tracebacks=[(f"command {name}", _behind(fault)) for name, fault in broken.items()],
    )


def _behind(fault: PluginError) -> str:
    return traceback_of(fault.__cause__) if fault.__cause__ else fault.message


def _fault(command: PluginCommand) -> PluginError | None:
    try:
        command.load()
    except PluginError as error:
        return error
    return None
