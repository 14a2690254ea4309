"""A process between one that asks for work and the one that does it: nothing outlives whoever asked.

Run as ``python -P -S supervisor.py PARENT COMMAND...``. The command runs in a session of its own. When the process
PARENT is gone, or this one is asked to end, the command gets SIGTERM; after some patience it and all that came of it
are killed. What the command leaves running when it ends is killed as well. This process ends as its command did.

It imports the standard library alone, so that it starts in a hundredth of a second.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

PATIENCE = 10.0
"""Seconds between SIGTERM, at which a command saves what it has, and SIGKILL for all that came of it."""

LOOK_SECONDS = 0.5
"""How often it is looked whether the parent is there."""

KILL_ROUNDS, ROUND_SECONDS = 100, 0.02
"""How often what is left is killed before it is given up: a process that waits for a broken disk cannot be ended."""

SUPERVISOR = "MRBENCH_SUPERVISOR"
"""The environment variable that tells a command its supervisor's process number."""

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def supervised(command: Sequence[str]) -> list[str]:
    """A command line that runs another under a supervisor, for as long as this process lives."""
    return [sys.executable, "-P", "-S", str(Path(__file__).resolve()), str(os.getpid()), *command]


def supervisor() -> int | None:
    """The process number of this process's supervisor; None where it has none."""
    return os.getppid() if os.environ.get(SUPERVISOR) == str(os.getppid()) else None


def leave_with_supervisor() -> None:
    """Lets this process get SIGTERM when its supervisor is gone, even by kill -9; ends it where that happened already.

    Raises:
        SystemExit: the supervisor is gone.
    """
    if SUPERVISOR not in os.environ:
        return
    _prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    if supervisor() is None:
        sys.exit(1)


def descendants(root: int) -> list[int]:
    """Processes that came of another and still run; none where the system has no ``/proc``."""
    children: dict[int, list[int]] = {}
    for pid, parent in _processes():
        children.setdefault(parent, []).append(pid)
    found, waiting = list[int](), [root]
    while waiting:
        new = children.get(waiting.pop(), [])
        found += new
        waiting += new
    return found


def kill(processes: Iterable[int]) -> None:
    """Ends processes at once; those that are gone are no error."""
    for pid in processes:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _processes() -> list[tuple[int, int]]:
    """Number and parent of all processes but zombies."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            state, parent = path.read_bytes().rpartition(b")")[2].split()[:2]
            if state != b"Z":
                found.append((int(path.parent.name), int(parent)))
    return found


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value)


def _start(command: list[str]) -> int:
    os.environ[SUPERVISOR] = str(os.getpid())
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            for number in (signal.SIGCHLD, *ENDING):
                if callable(
                    signal.getsignal(number)
                ):  # our handlers would swallow what comes before the command is there
                    signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.execv(command[0], command)
        finally:
            os._exit(127)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def _wakeup() -> int:
    """A file descriptor that gives the number of each signal that arrives."""
    reads, writes = os.pipe()
    os.set_blocking(reads, False)
    os.set_blocking(writes, False)
    signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, *ENDING):
        if number == signal.SIGCHLD or signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, lambda *_: None)
    return reads


def _wait(child: int, parent: int, signals: int) -> int:
    """How the child ended; it is ended where the parent is gone or a signal asks for it."""
    kill_at = float("inf")
    asked = False
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        if kill_at == float("inf") and (asked or os.getppid() != parent):
            os.kill(child, signal.SIGTERM)
            kill_at = time.monotonic() + PATIENCE
        if time.monotonic() > kill_at:
            kill([child, *descendants(os.getpid())])
        if select.select([signals], [], [], LOOK_SECONDS)[0]:
            asked |= any(number in ENDING for number in os.read(signals, 512))


def _end_what_is_left(child: int) -> None:
    # Where there is no /proc, the child's group is all that is known.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    for _ in range(KILL_ROUNDS):
        left = descendants(os.getpid())
        if not left:
            return
        kill(left)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(ROUND_SECONDS)


def _end_like(status: int) -> None:
    """Ends this process by the signal or with the code that a child ended by."""
    if os.WIFSIGNALED(status):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = os.WTERMSIG(status)
        with suppress(OSError, ValueError):  # SIGKILL has no handler
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status))


def main() -> None:
    """Runs the command of the command line."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    _prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: who loses its parent becomes ours, and is found
    signals = _wakeup()
    child = _start(command)
    status = _wait(child, parent, signals)
    _end_what_is_left(child)
    _end_like(status)


if __name__ == "__main__":
    main()
