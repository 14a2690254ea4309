"""The local executor: a fresh process per cell.

So peak memory is honest, and threads are set before torch is imported.
"""

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

from mrbench.bounded import bounded
from mrbench.engine.cell import CellSpec, Status
from mrbench.engine.devices import Lease, lease_device
from mrbench.engine.events import EventReader
from mrbench.engine.scoring import SCORER, Scorer
from mrbench.engine.store import owner_of
from mrbench.engine.supervisor import PATIENCE, supervised
from mrbench.engine.threads import PLAIN_TEXT, thread_environment
from mrbench.engine.worker import Order, tail
from mrbench.registry import Plugin

POLL_SECONDS = 0.05
BUSY_SECONDS = 2.0
"""How long a cell that another process is computing is left alone before it is looked at again."""

WAIT_SECONDS = 86_400.0
"""How long a cell waits for another process that computes it where no time limit says otherwise: longer than trainings
take, so that one that hangs cannot hold a run for ever."""

RESTARTS = 20
"""How often a worker that found another process at its cell is started again."""

END_SECONDS = PATIENCE + 5.0
"""After this time a worker that was asked to end is ended without its supervisor."""


@dataclass(frozen=True)
class Outcome:
    """How a worker ended."""

    status: Status
    reason: str = ""
    details: str = ""


Watch = Callable[[CellSpec, dict[str, Any]], None]


@dataclass
class _Turn:
    """An order that waits to be computed, and what it waited for so far."""

    order: Order
    not_before: float = 0.0
    waits_since: float | None = None
    owner: str = ""
    restarts: int = 0

    def wait(self) -> None:
        """Leaves its cell alone for a while."""
        now = time.monotonic()
        self.not_before = now + BUSY_SECONDS
        self.waits_since = now if self.waits_since is None else self.waits_since

    def has_waited(self, seconds: float) -> bool:
        """Did it wait for others longer than this?"""
        return self.waits_since is not None and time.monotonic() - self.waits_since > seconds


@dataclass
class _Worker:
    """One running process, a supervisor with the worker itself below it, and what it has said so far."""

    turn: _Turn
    process: subprocess.Popen[bytes]
    path: Path
    log: Path
    deadline: float
    resources: ExitStack
    oom_kills: int
    scorer: Scorer | None
    reader: EventReader = field(default_factory=EventReader)
    pid: int | None = None
    busy: str = ""
    end: dict[str, Any] = field(default_factory=dict)
    timed_out: bool = False
    end_by: float = float("inf")

    @property
    def order(self) -> Order:
        return self.turn.order

    def read(self) -> Iterator[dict[str, Any]]:
        """Events that have arrived since the last look, but those that are for the executor alone."""
        stream: IO[bytes] = self.process.stdout  # type: ignore[assignment]
        while chunk := stream.read1(65536) if _readable(stream) else b"":  # type: ignore[attr-defined]
            for event in self.reader.read(chunk):
                match event["event"]:
                    case "started":
                        self.pid = event["process"]
                    case "busy":
                        self.busy = event["owner"]
                    case "end":
                        self.end = event
                        self.deadline = min(self.deadline, time.monotonic() + END_SECONDS)
                    case _:
                        yield event

    @property
    def runs(self) -> bool:
        """Is it running? One that is past its time is asked to end, one that does not is ended."""
        if self.process.poll() is not None:
            return False
        now = time.monotonic()
        if now > self.deadline and not self.timed_out:
            self.timed_out = True
            self.ask_to_end()
        if now > self.end_by:
            self.process.kill()
        return True

    def ask_to_end(self) -> None:
        """Its supervisor sees to it that it does, and all that came of it."""
        self.process.terminate()
        self.end_by = time.monotonic() + END_SECONDS

    def wait_for_end(self) -> None:
        """Waits until it has ended, as long as it may take."""
        try:
            self.process.wait(max(0.0, self.end_by - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        """Frees what it held; where its supervisor was killed, ends what that cannot end any more."""
        if self.pid is not None and self.process.returncode == -signal.SIGKILL:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self.process.stdout.close()  # type: ignore[union-attr]
        self.resources.close()
        self.path.unlink(missing_ok=True)


class LocalExecutor:
    """Runs orders on this machine.

    Args:
        folder: for orders and logs, one pair per cell.
        jobs: cells side by side.
        timeout: seconds per cell, and for another process that computes it; None: no limit, and WAIT_SECONDS.
        metrics: for scoring processes that are shared by cells; none: each cell starts its own.
        metric_files: plugin files that they come from.
    """

    def __init__(
        self,
        folder: Path,
        *,
        jobs: int = 1,
        timeout: float | None = None,
        device: str = "auto",
        metrics: Sequence[Plugin[Any]] = (),
        metric_files: Sequence[Path] = (),
    ) -> None:
        self.folder, self.jobs, self.timeout, self.device = folder, jobs, timeout, device
        self.metrics, self.metric_files = metrics, metric_files
        self._scorers: list[Scorer] = []

    def run(self, orders: Sequence[Order], watch: Watch) -> Generator[tuple[Order, Outcome], None, None]:
        """Each order with its outcome, as they end. Cells that need the same training follow one another.

        Closing the iterator, or an interruption, ends the running workers; their checkpoints stay.
        """
        waiting = deque(map(_Turn, orders))
        running: list[_Worker] = []
        with self._ending(running):
            while waiting or running:
                yield from self._start(waiting, running, watch)
                for worker in list(running):
                    for event in worker.read():
                        watch(worker.order.spec, event)
                    if not worker.runs:
                        running.remove(worker)
                        yield from self._ended(worker, waiting, watch)
                time.sleep(POLL_SECONDS)

    def _start(self, waiting: deque[_Turn], running: list[_Worker], watch: Watch) -> Iterator[tuple[Order, Outcome]]:
        for _ in range(len(waiting)):
            if len(running) >= self.jobs:
                return
            turn = waiting.popleft()
            if time.monotonic() < turn.not_before or _shares_a_training(turn.order, running):
                waiting.append(turn)
            elif owner := _elsewhere(turn.order):
                yield from self._leave_alone(turn, owner, waiting, watch)
            else:
                running.append(self._spawn(turn))

    def _leave_alone(
        self, turn: _Turn, owner: str, waiting: deque[_Turn], watch: Watch
    ) -> Iterator[tuple[Order, Outcome]]:
        """Waits for another process, which is told of once, as long as a cell may take."""
        if owner != turn.owner:
            watch(turn.order.spec, {"event": "waiting", "owner": owner})
        turn.owner = owner
        turn.wait()
        patience = self.timeout or WAIT_SECONDS
        if turn.has_waited(patience):
            reason = f"waited {patience:g} s for {owner}, which is computing it"
            yield turn.order, Outcome(Status.TIMEOUT, f"{reason}; run the command again when that has ended")
        else:
            waiting.append(turn)

    def _spawn(self, turn: _Turn) -> _Worker:
        order = turn.order
        title = order.spec.title.replace(" ", "_").replace(":", "--")
        name = f"{title}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        path, log = self.folder / f"{name}.json", self.folder / f"{name}.log"
        order.write(path)
        resources = ExitStack()
        lease = resources.enter_context(lease_device(self.device)) if order.spec.kind == "method" else Lease()
        scorer = self._scorer()
        socket = [scorer.connection.fileno()] if scorer else []
        own = {"MRBENCH_LOG": str(log), **({SCORER: str(socket[0])} if socket else {})}
        threads = thread_environment(order.spec.conditions.threads)
        environment = {**os.environ, **threads, **PLAIN_TEXT, **lease.environment, **own}
        with log.open("ab") as errors:  # the scoring process writes to its end, too
            process = subprocess.Popen(
                # -P: what lies in the folder that a user happens to be in is no module.
                supervised([sys.executable, "-P", "-m", "mrbench.engine.worker", str(path)]),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                pass_fds=socket,
                start_new_session=True,  # an interruption reaches the workers through us, once
            )
        deadline = time.monotonic() + self.timeout if self.timeout else float("inf")
        return _Worker(turn, process, path, log, deadline, resources, oom_kills(), scorer)

    def _scorer(self) -> Scorer | None:
        """One that is idle, else a new one; None where cells start their own."""
        while self._scorers:
            if (idle := self._scorers.pop()).runs:
                return idle
            idle.close()
        environment = {**thread_environment(1), **PLAIN_TEXT}
        return Scorer(self.metrics, self.metric_files, environment) if self.metrics else None

    def _ended(self, worker: _Worker, waiting: deque[_Turn], watch: Watch) -> Iterator[tuple[Order, Outcome]]:
        for event in worker.read():
            watch(worker.order.spec, event)
        worker.close()
        outcome = self._outcome(worker)
        if worker.scorer and outcome.status is Status.OK:
            self._scorers.append(worker.scorer)
        elif worker.scorer:
            worker.scorer.close()  # it may be at what nobody waits for any more
        turn = worker.turn
        if not worker.busy:
            yield turn.order, outcome
        elif turn.restarts < RESTARTS:
            turn.restarts += 1
            yield from self._leave_alone(turn, worker.busy, waiting, watch)
        else:
            yield turn.order, Outcome(Status.FAILED, f"{worker.busy} was at its cell at {RESTARTS} starts in turn")

    def _outcome(self, worker: _Worker) -> Outcome:
        code, end = worker.process.returncode, worker.end
        if end and not (worker.timed_out and end["status"] == Status.INTERRUPTED):
            return Outcome(Status(end["status"]), end.get("reason", ""), end.get("details", ""))
        if worker.timed_out:
            return Outcome(Status.TIMEOUT, f"stopped after {self.timeout:g} s; the next run continues from here")
        said = tail(worker.log, 4000).decode("utf-8", "replace")
        if code < 0:
            return Outcome(*_killed(-code, worker.oom_kills), said)
        last = said.strip().splitlines()[-1] if said.strip() else "no output"
        return Outcome(Status.FAILED, f"the cell's process ended with code {code}: {bounded(last)}", said)

    @contextmanager
    def _ending(self, running: list[_Worker]) -> Iterator[None]:
        try:
            yield
        finally:
            for worker in running:
                worker.ask_to_end()
            for worker in running:
                worker.wait_for_end()
                worker.close()
            for scorer in [*self._scorers, *(worker.scorer for worker in running if worker.scorer)]:
                scorer.close()
            self._scorers.clear()


def _shares_a_training(order: Order, running: Sequence[_Worker]) -> bool:
    own = _trainings(order)
    return any(not own.isdisjoint(_trainings(worker.order)) for worker in running)


def _elsewhere(order: Order) -> str:
    """The live process that is at an order's cell or training; empty where none is."""
    # Looked at before a process is started for it: starting one only to find it busy would cost seconds each time.
    return next(filter(None, map(owner_of, (order.spec.folder(order.results), *_trainings(order)))), "")


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
