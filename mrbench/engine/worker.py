"""A cell's life in a process of its own: prepare, fit, predict, score, record.

Run as ``python -P -m mrbench.engine.worker ORDER.json``. Events go to the original standard output, one JSON object per
line; everything that a plugin prints goes to the log.
"""

import json
import os
import shutil
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mrbench.bounded import bounded, traceback_of
from mrbench.cards import Capability
from mrbench.data.case import Case
from mrbench.data.caseset import CaseSet
from mrbench.data.description import Description
from mrbench.data.imported import find_dataset
from mrbench.data.loading import configured
from mrbench.data.splits import Fold
from mrbench.engine import phases
from mrbench.engine.bfloat16 import check_bf16
from mrbench.engine.build import TRAINED, WEIGHTS, load_weights, method_of, read_training
from mrbench.engine.cell import CURVES, FOLDS, PREDICTIONS, CellSpec, Status
from mrbench.engine.code import recorded
from mrbench.engine.costs import cost_of
from mrbench.engine.damage import fault_of_training, move_aside
from mrbench.engine.devices import torch_device
from mrbench.engine.ending import Ending
from mrbench.engine.equivalence import code_as_planned
from mrbench.engine.initial import untrained
from mrbench.engine.leftovers import end_leftovers
from mrbench.engine.manifest import FILES, files_of, write_sealed
from mrbench.engine.predict import Predictor
from mrbench.engine.profile import Profile, milliseconds
from mrbench.engine.record import RECORD, make_record, read_record, write_record
from mrbench.engine.scoring import CountingRequest, ScoringRequest, count_elsewhere, score_elsewhere
from mrbench.engine.source import prediction_seed, source_of
from mrbench.engine.store import CHECKPOINT, Attempt, BusyError, attempt
from mrbench.engine.supervisor import leave_with_supervisor
from mrbench.engine.tested import shared_subjects
from mrbench.engine.void import void_fact
from mrbench.errors import DivergedError, NotApplicableError
from mrbench.files import flush, made_folder, write_json
from mrbench.interfaces.fusion import bound
from mrbench.places import told
from mrbench.registry import Plugin, Registry, discover

if TYPE_CHECKING:
    from mrbench.engine.draws import Answering
    from mrbench.interfaces.method import Method

LOG_BYTES = 2**20
"""The end of a cell's log that is kept."""

NO_MEMORY = "can't allocate memory"
"""What torch says where the machine has none left."""


@dataclass(frozen=True)
class Order:
    """What a worker is told to do.

    Attributes:
        spec: the cell.
        results: the results folder.
        data: the folder of prepared data.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        plugin_files: plugins of single files.
    """

    spec: CellSpec
    results: Path
    data: Path
    device: str = "auto"
    plugin_files: tuple[Path, ...] = ()

    def write(self, path: Path) -> None:
        """Writes the order where its worker reads it."""
        paths: dict[str, Any] = {"results": str(self.results), "data": str(self.data)}
        paths["plugin_files"] = [str(file) for file in self.plugin_files]
        write_json(path, {**vars(self), "spec": self.spec.as_json(), **paths})

    @classmethod
    def read(cls, path: Path) -> "Order":
        """The inverse of :meth:`write`."""
        values = json.loads(path.read_text(encoding="utf-8"))
        paths: dict[str, Any] = {"results": Path(values["results"]), "data": Path(values["data"])}
        paths["plugin_files"] = tuple(map(Path, values["plugin_files"]))
        return cls(**values | paths | {"spec": CellSpec.from_json(values["spec"])})


class CellLife:
    """The phases of one cell, in order."""

    def __init__(self, order: Order, emit: phases.Emit, ending: Ending | None = None) -> None:
        self.order, self.spec, self.emit, self.ending = order, order.spec, emit, ending or Ending()
        self.profile = Profile()
        self.registry: Registry = discover(files=order.plugin_files)
        self.plugin = method_of(self.spec, self.registry)
        self.code = code_as_planned(self.spec, self.plugin)
        self.device: Any = None

    @property
    def modules(self) -> frozenset[str]:
        """Top-level modules of the plugins whose code the cell runs."""
        trained = (method_of(one, self.registry) for one in self.spec.trainings)
        own = self.plugin.modules.union(*(plugin.modules for plugin in trained))
        datasets = {self.spec.dataset, self.spec.tested.dataset}
        return own.union(*(find_dataset(name, self.registry, self.order.data).modules for name in datasets))

    def live(self) -> None:
        """Computes the cell and leaves it finished.

        Raises:
            BusyError: another process is at it.
            Exception: whatever went wrong; nothing finished is touched.
        """
        final = self.spec.folder(self.order.results)
        if read_record(final) is not None:
            return
        with attempt(final, marker=RECORD) as work:
            if work.finished:
                work.discard()
                return
            with self._phase("prepare"):
                cases, fold = phases.prepare(self.spec, self.registry, self.order.data)
                other, test = phases.tested_on(self.spec, self.registry, self.order.data, cases)
            leaks = shared_subjects(cases, fold, other, test) if self.spec.test_on else fold.leaks(cases.subjects)
            predictor = self._predictor(cases, fold, other.description, other[int(test[0])])
            self._predict(predictor, other, test, work.folder)
            metrics = self._score(other, work.folder)
            facts: dict[str, Any] = {FOLDS: len(cases.split(self.spec.split).folds)}
            facts |= ({"leaks": leaks} if leaks else {}) | void_fact(other, test)
            self._record(work, predictor, metrics | facts)

    def _phase(self, name: str) -> Any:
        self.emit({"event": "phase", "phase": name})
        return self.profile.phase(name, self.device)

    def _predictor(self, cases: CaseSet, fold: Fold, tested: Description, first: Case) -> Predictor:
        """The trained predictor for data that are described as ``tested``; ``first``: their first case."""
        samples = self.spec.samples
        if self.spec.kind == "fusion":
            fuse = bound(self.plugin.load(), configured(self.plugin, self.spec.options), tested)
            return Predictor.of_fusion(self.plugin.card, tested, samples, fuse, prediction_seed(self.spec))
        self.device = torch_device(self.order.device)
        self.profile.facts["trained_here"] = False
        trained = [self._trained(one, cases, fold) for one in self.spec.trainings]
        self.profile.phases["fit"], facts = cost_of([costs for _, costs in trained])
        self.profile.facts |= facts
        methods = [method for method, _ in trained]
        source = source_of(self.spec, self.registry, cases.description, methods, self.device)
        self._measure_inference(source, first, tested)
        return Predictor.of_method(tested, samples, source)

    def _trained(self, spec: CellSpec, cases: CaseSet, fold: Fold) -> "tuple[Method[Any], dict[str, Any]]":
        """The method of a training, trained here where it is not yet, and what the training cost."""
        plugin = method_of(spec, self.registry)
        code_as_planned(spec, plugin)
        method = untrained(spec, plugin, cases.description)
        final = spec.training_folder(self.order.results)
        self._set_aside_if_damaged(final)
        if not (final / TRAINED).exists():
            with attempt(final, marker=TRAINED) as work:
                if not work.finished:
                    self._fit(spec, method, cases, fold, work)
                    self.profile.facts["trained_here"] = True
                work.complete()
        shutil.rmtree(final / CHECKPOINT, ignore_errors=True)  # now that nothing can need it any more
        load_weights(method, final, self.device)
        return method, read_training(final) or {}

    def _set_aside_if_damaged(self, training: Path) -> None:
        if fault := fault_of_training(training):
            moved = move_aside(training, self.order.results)
            print(f"{fault.fault}; moved to {moved}, trained anew", file=sys.stderr)

    def _fit(self, spec: CellSpec, method: "Method[Any]", cases: CaseSet, fold: Fold, work: Attempt) -> None:
        from mrbench.engine.fit import CHECKPOINT_SECONDS
        from mrbench.engine.train import train

        if spec.conditions.precision == "bf16":
            check_bf16(self.device)
        with self._phase("fit"), self.ending.at_safe_points() as stop:
            curve, slices = train(
                method,
                spec,
                cases,
                fold,
                device=self.device,
                folder=work.folder / CHECKPOINT,
                report=self.emit,
                checkpoint_seconds=float(os.environ.get("MRBENCH_CHECKPOINT_SECONDS", CHECKPOINT_SECONDS)),
                stop=stop,
            )
        with made_folder(work.folder / WEIGHTS) as weights:
            method.save(weights)
            for path in weights.iterdir():
                flush(path)
        curve.write(work.folder / CURVES)
        facts = {
            "parameters": sum(parameter.numel() for parameter in method.parameters()),
            "epochs": len(curve.rows),
            "seconds_per_epoch": sum(row["seconds"] for row in curve.rows) / max(1, len(curve.rows)),
            "training_slices": slices,
            "resumed": work.adopted,
            "trained_on_shared_device": os.environ.get("MRBENCH_SHARED_DEVICE") == "1",
        }
        # Of all the processes that trained it, where it was interrupted in between.
        cost = self.profile.phases["fit"] | {"seconds": sum(row["seconds"] for row in curve.rows)}
        training = {"fit": cost, "facts": facts, "training": spec.training, FILES: files_of(work.folder, TRAINED)}
        write_sealed(work.folder / TRAINED, training | spec.conditions.as_json())

    def _predict(self, predictor: Predictor, cases: CaseSet, test: np.ndarray, folder: Path) -> None:
        path, classes = folder / PREDICTIONS, predictor.description.n_classes
        in_turn = Capability.TAKES_TURNS in self.spec.capabilities
        request = CountingRequest(self.spec.title, str(path), classes, in_turn, os.environ.get("MRBENCH_LOG", ""))
        with self._phase("predict"), count_elsewhere(request, *self._metrics) as counted:
            for case in phases.tested_cases(cases, test, self.emit):
                counted.add(case, predictor.draws(case))
        seconds = self.profile.phases["predict"]["seconds"]
        size = (folder / PREDICTIONS).stat().st_size
        self.profile.facts |= {
            "test_cases": len(test),
            "bytes_per_case": round(size / len(test)),
            "samples_per_second": round(len(test) * predictor.samples / seconds, 2),
        }

    def _measure_inference(self, source: "Answering", case: Case, description: Description) -> None:
        # One case, after a call that warms up; what is counted into tables is not part of it.
        from torch.utils.flop_counter import FlopCounterMode

        from mrbench.engine.draws import draws_of

        image = case.without_masks()
        checked = Predictor.of_method(description, 1, source)

        def draw(n: int) -> None:
            for _ in draws_of(source, image, n):
                pass

        with FlopCounterMode(display=False) as flops:
            for _, draws in checked.draws(case):
                list(draws)
        one, all_samples = (milliseconds(lambda n=n: draw(n), self.device) for n in (1, self.spec.samples))  # type: ignore[misc]
        self.profile.facts |= {
            "flops": flops.get_total_flops(),
            "milliseconds_per_image": round(one, 3),
            "milliseconds_per_image_all_samples": round(all_samples, 3),
            "batch_size": 1,
        }

    def _score(self, cases: CaseSet, folder: Path) -> dict[str, Any]:
        warnings = end_leftovers()  # one that holds the predictions' lock would keep them from being read
        for line in warnings:
            self.emit({"event": "warning", "text": line})
            print(f"warning: {line}", file=sys.stderr)
        self.emit({"event": "phase", "phase": "score"})
        log = os.environ.get("MRBENCH_LOG", "")
        request = ScoringRequest(self.spec.title, cases.description.raters.value, str(folder), log)
        answer = score_elsewhere(request, *self._metrics)
        self.profile.phases["score"] = dict(answer.cost)
        return {**answer.scores, **({"warnings": warnings} if warnings else {})}

    @property
    def _metrics(self) -> tuple[list[Plugin[Any]], list[Path]]:
        """For a scoring process of our own: all metrics, and the plugin files that they come from."""
        return self.registry.plugins["metric"], [path.resolve() for path in self.registry.files_with("metric")]

    def _record(self, work: Attempt, predictor: Predictor, metrics: Mapping[str, Any]) -> None:
        from mrbench.engine.threads import threads_in_use

        record = make_record(
            self.spec,
            Status.OK,
            plugin=f"{self.plugin.distribution} {self.plugin.distribution_version}",
            threads=threads_in_use(),
            device=_device_name(self.device),
            raters=predictor.description.raters.value,
            native_grid=predictor.description.native_grid,
            code=recorded(self.code, self.plugin.modules),
            **metrics,
            profile=self.profile.as_json(),
        )
        _copy_curves(self.spec, self.order.results, work.folder)
        _copy_log(work.folder)
        write_record(work.folder, record)
        work.complete()


def _device_name(device: Any) -> str:
    if device is None or device.type != "cuda":
        return "cpu" if device is None else str(device.type)
    import torch

    return f"cuda: {torch.cuda.get_device_name(device)}"


def _copy_curves(spec: CellSpec, results: Path, folder: Path) -> None:
    # A wrapper's members keep their own.
    for one in spec.trainings if spec.member is None else ():
        shutil.copyfile(one.training_folder(results) / CURVES, folder / CURVES)


def _copy_log(folder: Path) -> None:
    log = os.environ.get("MRBENCH_LOG")
    if log and Path(log).exists():
        sys.stderr.flush()
        (folder / "log.txt").write_bytes(tail(Path(log), LOG_BYTES))


def tail(path: Path, size: int) -> bytes:
    """The last ``size`` bytes of a file."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read(size)


def classify(error: BaseException, modules: Collection[str] = ()) -> tuple[Status, str]:
    """The status that an exception means, and a reason: one line, and what was expected and found where that is known.

    Args:
        modules: top-level modules of the plugins whose file and line the reason names.
    """
    reason = told(error, modules)
    if isinstance(error, DivergedError):
        return Status.DIVERGED, reason
    if isinstance(error, NotApplicableError):
        return Status.NOT_APPLICABLE, error.message
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return Status.INTERRUPTED, "interrupted"
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or NO_MEMORY in reason:
        return Status.OUT_OF_MEMORY, reason
    return Status.FAILED, reason


def main() -> int:
    """Reads the order, lives the cell, tells how it ended."""
    events = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)

    def emit(event: dict[str, Any]) -> None:
        events.write(json.dumps(event) + "\n")

    ending = Ending()
    ending.listen()
    leave_with_supervisor()
    modules: Collection[str] = ()
    try:
        emit({"event": "started", "process": os.getpid()})
        life = CellLife(Order.read(Path(sys.argv[1])), emit, ending)
        modules = life.modules
        life.live()
    except BusyError as error:
        emit({"event": "busy", "owner": error.found})
        return 1
    except BaseException as error:
        status, reason = classify(error, modules)
        details = traceback_of(error)
        with suppress(OSError):  # the disk that holds the log is full
            print(details, file=sys.stderr)
        emit({"event": "end", "status": status.value, "reason": bounded(reason), "details": details})
        return 1
    emit({"event": "end", "status": Status.OK.value})
    return 0


def _end_at_once(code: int) -> None:
    """Ends this process whatever threads a plugin left: what it has to say is said, and its files are written."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    _end_at_once(main())
