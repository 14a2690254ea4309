"""Tables and scores of a cell, from a process that never imported its plugin: whatever that patches, numbers stay.

A driver starts one for each cell that runs at a time, reuses it over cells and hands its end of a socket to each
worker; a worker that got none, or a broken one, starts its own.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from mrbench.bounded import traceback_of
from mrbench.engine.sent_draws import DrawSender, RefusedError
from mrbench.engine.supervisor import PATIENCE, supervised
from mrbench.errors import MrbenchError
from mrbench.registry import Plugin

SCORER = "MRBENCH_SCORER"
"""The environment variable with the number of a worker's end of the socket."""


@dataclass(frozen=True)
class ScoringRequest:
    """Which predictions are to be scored.

    Attributes:
        title: of the cell.
        raters: of the data set, one of the values of ``Raters``.
        folder: with the predictions; the scores of the cases are written into it.
        log: where metrics print to; empty: nowhere.
    """

    title: str
    raters: str
    folder: str
    log: str = ""


@dataclass(frozen=True)
class CountingRequest:
    """Where draws are to be counted into.

    Attributes:
        title: of the cell.
        predictions: the file; it must not be there.
        classes: K of the data set.
        in_turn: are the samples taken in turn, and so no independent draws?
        log: as of :class:`ScoringRequest`.
    """

    title: str
    predictions: str
    classes: int
    in_turn: bool = False
    log: str = ""


@dataclass(frozen=True, eq=False)
class ScoringAnswer:
    """What a scoring process gives back.

    Attributes:
        scores: what the record holds of them.
        cost: seconds and peak memory, as of a phase.
        error: what went wrong instead, with the process's traceback.
    """

    scores: Mapping[str, Any]
    cost: Mapping[str, float]
    error: Exception | None = None
    traceback: str = ""

    @classmethod
    def of_error(cls, error: Exception) -> "ScoringAnswer":
        """The answer that tells of an error."""
        return cls({}, {}, error, traceback_of(error))

    def checked(self) -> "ScoringAnswer":
        """The same answer, where nothing went wrong.

        Raises:
            Exception: what did.
        """
        if self.error is not None:
            raise self.error from ScoringProcessError(self.traceback)
        return self


class ScoringProcessError(Exception):
    """Shows the traceback of another process."""


class Scorer:
    """A scoring process that ends with this one.

    Args:
        metrics: all that there are.
        files: plugin files that they come from.
        environment: variables for it beside those of this process.
    """

    def __init__(
        self, metrics: Iterable[Plugin[Any]], files: Sequence[Path], environment: Mapping[str, str] | None = None
    ) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                supervised([sys.executable, "-P", "-m", "mrbench.engine.scorer", str(theirs.fileno())]),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **(environment or {})},
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self.connection = Connection(ours.detach())
        with suppress(OSError):  # it is gone already: whoever asks finds out
            self.connection.send((tuple(metrics), tuple(files)))

    @property
    def runs(self) -> bool:
        """Is it there?"""
        return self.process.poll() is None

    def close(self) -> None:
        """Ends it, whatever it is at."""
        self.connection.close()
        self.process.terminate()
        try:
            self.process.wait(PATIENCE + 2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def score_elsewhere(
    request: ScoringRequest, metrics: Iterable[Plugin[Any]], files: Sequence[Path] = ()
) -> ScoringAnswer:
    """Scores in another process. ``metrics``, ``files``: for a process of our own, where we were given none.

    Raises:
        MrbenchError: a built-in metric failed, or the process ended without an answer.
        Exception: what else went wrong there, e.g. a full disk.
    """
    with _asked(request, metrics, files) as (_, answer):
        return answer


@contextmanager
def count_elsewhere(
    request: CountingRequest, metrics: Iterable[Plugin[Any]], files: Sequence[Path] = ()
) -> Iterator[DrawSender]:
    """Takes draws that another process counts into a file, which is whole at the end. Errors, ``metrics``, ``files``:
    :func:`score_elsewhere`."""
    with _asked(request, metrics, files) as (connection, _):
        sender = DrawSender(connection)
        try:
            yield sender
            sender.end()
        except RefusedError:
            pass  # the answer says why
        _checked(_answer(connection), request)


@contextmanager
def _asked(
    request: ScoringRequest | CountingRequest, metrics: Iterable[Plugin[Any]], files: Sequence[Path]
) -> Iterator[tuple[Connection, ScoringAnswer]]:
    """The process that was asked, the shared one where that is there, with its answer."""
    if given := os.environ.get(SCORER):
        with Connection(os.dup(int(given))) as shared:
            if answer := _ask(shared, request):
                yield shared, answer.checked()
                return
    with closing(Scorer(metrics, files)) as own:
        answer = _ask(own.connection, request)
        yield own.connection, _checked(answer, request, own.process.poll())


def _checked(
    answer: ScoringAnswer | None, request: ScoringRequest | CountingRequest, code: int | None = None
) -> ScoringAnswer:
    if answer is None:
        raise MrbenchError(
            f"the scoring process of {request.title} ended without an answer",
            found="no exit code yet" if code is None else f"exit code {code}",
            hint="run the same command again; where memory ran out, with fewer --jobs",
        )
    return answer.checked()


def _ask(connection: Connection, request: ScoringRequest | CountingRequest) -> ScoringAnswer | None:
    """The answer; None where the process is gone."""
    try:
        # Not pickled: who receives it executes nothing of ours.
        connection.send_bytes(json.dumps([type(request).__name__, asdict(request)]).encode())
    except OSError:
        return None
    return _answer(connection)


def _answer(connection: Connection) -> ScoringAnswer | None:
    try:
        answer: ScoringAnswer = connection.recv()
    except (EOFError, OSError):
        return None
    return answer
