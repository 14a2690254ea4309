"""The record: what a finished cell leaves behind, read back with its version checked."""

import os
import platform
import shlex
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mrbench import __version__
from mrbench.configuration import as_text
from mrbench.engine.cell import ALL_CASES, EXTERNAL, FORMAT, REPAIR, CellSpec, DataChoice, Status
from mrbench.engine.manifest import FILES, check_file, facts_of, files_of, read_sealed, write_sealed
from mrbench.engine.record_form import fault_of
from mrbench.errors import DataError, IncompatibleError
from mrbench.plugin_file import file_of

LIBRARIES = ("numpy", "scipy", "torch", "h5py", "pydantic")


def make_record(
    spec: CellSpec,
    status: Status,
    *,
    reason: str = "",
    details: str = "",
    plugin: str = "",
    threads: int | None = None,
    device: str = "",
    **more: Any,
) -> dict[str, Any]:
    """A record of a cell.

    Args:
        reason: one line on why it is not ok; ``details``: the traceback or the whole message.
        plugin: distribution and version that the method comes from.
        threads, device: that it ran with.
        more: metrics, profile and the like, as JSON types.
    """
    return {
        "format": FORMAT,
        "status": status.value,
        "reason": reason,
        "details": details,
        "spec": spec.as_json(),
        "digests": {"cell": spec.digest, "training": spec.training_digest, "data": spec.tested.data_digest},
        "versions": _versions() | {"plugin": plugin},
        "environment": _environment(threads, device),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        **more,
    }


def reproduce(spec: CellSpec, metrics: Iterable[str] = ()) -> str:
    """The command that computes a cell, with these metrics, again; plugin files stand in it without their folder.

    Made of the specification wherever it is shown: a record holds no text that somebody might run.
    """
    own = _scored(spec) if spec.kind == "external" else _computed(spec)
    plugins = dict.fromkeys([spec.method, *(one.method for one in spec.trainings)])
    words = ["mrbench", *own, "--fold", str(spec.fold), *on_dataset(spec, (*plugins, *metrics))]
    words += _settings(spec.method, spec.changed)
    return shlex.join(words + (_settings(spec.member.method, spec.member.changed) if spec.member else []))


def on_dataset(spec: CellSpec, plugins: Iterable[str] = ()) -> list[str]:
    """The words of a command that choose the cell's data set, with the plugin files of that and of ``plugins``."""
    files = dict.fromkeys(filter(None, map(file_of, (*plugins, spec.dataset, spec.tested.dataset))))
    words = ["--dataset", spec.dataset, *(word for file in files for word in ("--plugin-file", file))]
    words += ["--split", spec.split] if spec.split != "strict" else []
    return words + _settings(spec.dataset, spec.dataset_changed) + _tested(spec.test_on)


def _tested(other: DataChoice | None) -> list[str]:
    if other is None:
        return []
    split = "" if other.split == ALL_CASES else f":{other.split}"
    return ["--test-on", f"{other.dataset}{split}", *_settings(other.dataset, other.dataset_changed)]


def _settings(owner: str, options: Mapping[str, Any]) -> list[str]:
    return [word for name, value in options.items() for word in ("--set", f"{owner}.{name}={as_text(value)}")]


def _computed(spec: CellSpec) -> list[str]:
    words = ["run", "--method", spec.method, "--seed", str(spec.seed), "--samples", str(spec.samples)]
    words += ["--preset", spec.preset] if spec.preset != "default" else []
    words += ["--limit", str(spec.limit)] if spec.limit is not None else []
    return words + spec.conditions.command_line


def _scored(spec: CellSpec) -> list[str]:
    words = ["score", "--predictions", spec.options["predictions"], "--name", spec.method.removeprefix(EXTERNAL)]
    return words + [word for pattern in spec.options["patterns"] for word in ("--pattern", pattern)]


def _versions() -> dict[str, str]:
    found = {"mrbench": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _environment(threads: int | None, device: str) -> dict[str, Any]:
    return {
        "system": platform.platform(terse=True),
        "machine": platform.machine(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": threads,
        "cpu_capability": cpu_capability(),
        "omp_wait_policy": os.environ.get("OMP_WAIT_POLICY", ""),
        "device": device,
        "shared_device": os.environ.get("MRBENCH_SHARED_DEVICE") == "1",
    }


def cpu_capability() -> str:
    """The processor's vector instructions as torch uses them; blank in a process that has not loaded it."""
    torch = sys.modules.get("torch")
    return torch.backends.cpu.get_cpu_capability() if torch else ""


def processor() -> str:
    """What the CPU is called."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


RECORD = "record.json"
"""In a cell's folder, written last: where it is, the cell is whole."""


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Writes ``record.json`` into a folder, with its seal and with the digests of the files that are there by now."""
    write_sealed(folder / RECORD, {**record, FILES: files_of(folder, RECORD)})


def vouch_for(folder: Path, name: str) -> None:
    """Has the record of a finished cell vouch for one file more; what it says of the others stays as it is.

    Raises:
        DataError, IncompatibleError: there is no record, or it cannot be read.
    """
    record = read_record(folder)
    if record is None:
        raise DataError(f"the cell {folder} has no record", expected=RECORD, hint=REPAIR)
    write_sealed(folder / RECORD, {**record, FILES: {**record[FILES], name: facts_of(folder / name)}})


def is_there(folder: Path) -> bool:
    """Is there a record in a folder, readable or not?"""
    return (folder / RECORD).is_file()


def read_record(folder: Path) -> dict[str, Any] | None:
    """The record in a folder, or None where there is none.

    Raises:
        DataError: it is not readable, or not what was written.
        IncompatibleError: another version wrote it.
    """
    path = folder / RECORD
    try:
        record, broken = read_sealed(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read the record {path}", found=str(error), hint=REPAIR) from error
    written = record.get("format") if isinstance(record, dict) else None
    if isinstance(written, int) and written != FORMAT:
        raise IncompatibleError(
            f"the cell {folder} was written by another version of mrbench",
            expected=f"record format {FORMAT}",
            found=str(written),
            hint="mrbench run --force computes it again; --out names another results folder",
        )
    if fault := (fault_of(record) or broken) if written == FORMAT else "no format":
        raise DataError(f"the record {path} is damaged", found=fault, hint=REPAIR)
    return record


def checked_file(folder: Path, name: str) -> Path:
    """The path of a file of a finished cell, once it is what the cell left.

    Raises:
        DataError: the record or the file is not there, or not what was written.
        IncompatibleError: another version wrote it.
    """
    record = read_record(folder)
    if record is None:
        raise DataError(f"the cell {folder} has no record", expected=RECORD, hint=REPAIR)
    return check_file(folder, record, name)
