"""The local executor: a fresh process per cell.

So peak memory is honest, and threads are set before torch is imported.
"""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from mrbench.engine.cell import CellSpec, Status
from mrbench.engine.devices import Lease, lease_device
from mrbench.engine.store import is_busy
from mrbench.engine.threads import thread_environment, threads_per_cell
from mrbench.engine.worker import BUSY_EXIT, Order, tail

POLL_SECONDS = 0.05
BUSY_SECONDS = 2.0
"""How long a cell that another process is computing is left alone before it is looked at again."""


@dataclass(frozen=True)
class Outcome:
    """How a worker ended."""

    status: Status
    reason: str = ""
    details: str = ""


Watch = Callable[[CellSpec, dict[str, Any]], None]


@dataclass
class _Worker:
    """One running process with what it has said so far."""

    order: Order
    process: subprocess.Popen[bytes]
    path: Path
    log: Path
    deadline: float
    resources: ExitStack
    oom_kills: int
    partial: bytes = b""
    end: dict[str, Any] = field(default_factory=dict)
    timed_out: bool = False

    def read(self) -> Iterator[dict[str, Any]]:
        """Events that have arrived since the last look."""
        stream: IO[bytes] = self.process.stdout  # type: ignore[assignment]
        while chunk := stream.read1(65536) if _readable(stream) else b"":  # type: ignore[attr-defined]
            self.partial += chunk
        *lines, self.partial = self.partial.split(b"\n")
        for line in lines:
            with suppress(ValueError):  # a line that was cut off by a kill
                event = json.loads(line)
                if event["event"] == "end":
                    self.end = event
                yield event

    def close(self) -> None:
        """Ends whatever the process left running and frees what it held."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.stdout.close()  # type: ignore[union-attr]
        self.resources.close()
        self.path.unlink(missing_ok=True)


class LocalExecutor:
    """Runs orders on this machine.

    Args:
        jobs: cells side by side.
        timeout: seconds per cell; None: no limit.
        folder: for orders and logs, one pair per cell.
    """

    def __init__(self, folder: Path, *, jobs: int = 1, timeout: float | None = None, device: str = "auto") -> None:
        self.folder, self.jobs, self.timeout, self.device = folder, jobs, timeout, device
        self.threads = threads_per_cell(jobs)

    def run(self, orders: Sequence[Order], watch: Watch) -> Generator[tuple[Order, Outcome], None, None]:
        """Each order with its outcome, as they end. Cells that need the same training follow one another.

        Closing the iterator, or an interruption, ends the running workers; their checkpoints stay.
        """
        waiting = deque((0.0, order) for order in orders)
        running: list[_Worker] = []
        with _stopping(running):
            while waiting or running:
                self._start(waiting, running, watch)
                for worker in list(running):
                    for event in worker.read():
                        watch(worker.order.spec, event)
                    if worker.process.poll() is None:
                        self._check_deadline(worker)
                        continue
                    running.remove(worker)
                    yield from self._ended(worker, waiting, watch)
                time.sleep(POLL_SECONDS)

    def _start(self, waiting: deque[tuple[float, Order]], running: list[_Worker], watch: Watch) -> None:
        for _ in range(len(waiting)):
            if len(running) >= self.jobs:
                return
            not_before, order = waiting.popleft()
            if time.monotonic() < not_before or _shares_a_training(order, running):
                waiting.append((not_before, order))
            elif _elsewhere(order):
                watch(order.spec, {"event": "waiting"})
                waiting.append((time.monotonic() + BUSY_SECONDS, order))
            else:
                running.append(self._spawn(order))

    def _spawn(self, order: Order) -> _Worker:
        title = order.spec.title.replace(" ", "_").replace(":", "--")
        name = f"{title}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        path, log = self.folder / f"{name}.json", self.folder / f"{name}.log"
        order.write(path)
        resources = ExitStack()
        lease = resources.enter_context(lease_device(self.device)) if order.spec.kind == "method" else Lease()
        own = {"MRBENCH_LOG": str(log), "MRBENCH_PARENT": str(os.getpid())}
        environment = {**os.environ, **thread_environment(self.threads), **lease.environment, **own}
        with log.open("wb") as errors:
            process = subprocess.Popen(
                # -P: what lies in the folder that a user happens to be in is no module.
                [sys.executable, "-P", "-m", "mrbench.engine.worker", str(path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                start_new_session=True,  # an interruption reaches the workers through us, once
            )
        deadline = time.monotonic() + self.timeout if self.timeout else float("inf")
        return _Worker(order, process, path, log, deadline, resources, oom_kills())

    @staticmethod
    def _check_deadline(worker: _Worker) -> None:
        if time.monotonic() > worker.deadline and not worker.timed_out:
            worker.timed_out = True
            _stop(worker.process)

    def _ended(
        self, worker: _Worker, waiting: deque[tuple[float, Order]], watch: Watch
    ) -> Iterator[tuple[Order, Outcome]]:
        for event in worker.read():
            watch(worker.order.spec, event)
        worker.close()
        if worker.process.returncode == BUSY_EXIT:
            watch(worker.order.spec, {"event": "waiting"})
            waiting.append((time.monotonic() + BUSY_SECONDS, worker.order))
            return
        yield worker.order, self._outcome(worker)

    def _outcome(self, worker: _Worker) -> Outcome:
        code = worker.process.returncode
        if worker.timed_out:
            return Outcome(Status.TIMEOUT, f"stopped after {self.timeout:g} s; the next run continues from here")
        if worker.end:
            return Outcome(Status(worker.end["status"]), worker.end.get("reason", ""), worker.end.get("details", ""))
        said = tail(worker.log, 4000).decode("utf-8", "replace")
        if code < 0:
            return Outcome(*_killed(-code, worker.oom_kills), said)
        last = said.strip().splitlines()[-1] if said.strip() else "no output"
        return Outcome(Status.FAILED, f"the cell's process ended with code {code}: {last}", said)


def _shares_a_training(order: Order, running: Sequence[_Worker]) -> bool:
    own = _trainings(order)
    return any(not own.isdisjoint(_trainings(worker.order)) for worker in running)


def _elsewhere(order: Order) -> bool:
    # Looked at before a process is started for it: starting one only to find it busy would cost seconds each time.
    return any(is_busy(folder) for folder in (order.spec.folder(order.results), *_trainings(order)))


def _trainings(order: Order) -> set[Path]:
    return {one.training_folder(order.results) for one in order.spec.trainings}


def _killed(number: int, oom_kills_before: int) -> tuple[Status, str]:
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    if number == signal.SIGKILL and oom_kills() > oom_kills_before:
        return Status.OUT_OF_MEMORY, f"the system ended the cell's process ({name}) because memory ran out"
    return Status.FAILED, f"the cell's process was killed by {name}"


def oom_kills() -> int:
    """Processes that this system has ended for want of memory since it started; 0 where it does not tell."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    except (OSError, StopIteration):
        return 0


def _readable(stream: IO[bytes]) -> bool:
    import select

    return bool(select.select([stream], [], [], 0)[0])


@contextmanager
def _stopping(running: list[_Worker]) -> Iterator[None]:
    try:
        yield
    finally:
        for worker in running:
            _stop(worker.process)
            worker.close()


def _stop(process: subprocess.Popen[bytes], patience: float = 5.0) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
