"""The process that counts draws and scores: ``python -P -m mrbench.engine.scorer SOCKET``.

It imports metrics and no other plugin. The first message names them; each further one is a request as JSON. It ends
with the socket.
"""

import json
import os
import sys
from collections.abc import Sequence
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from mrbench.engine.phases import score
from mrbench.engine.predictions import PredictionWriter
from mrbench.engine.profile import Profile
from mrbench.engine.scoring import CountingRequest, ScoringAnswer, ScoringRequest
from mrbench.engine.sent_draws import DrawReceiver
from mrbench.engine.supervisor import leave_with_supervisor
from mrbench.registry import Plugin, Registry, discover


def answer(request: ScoringRequest, registry: Registry) -> ScoringAnswer:
    """Scores a cell; an exception is an answer."""
    profile = Profile()
    try:
        with profile.phase("score"):
            scores = score(request.title, registry, request.raters, Path(request.folder))
    except Exception as error:
        return ScoringAnswer.of_error(error)
    return ScoringAnswer(scores, profile.phases["score"])


def registry_of(metrics: Sequence[Plugin[Any]], files: Sequence[Path]) -> Registry:
    """A registry of some metrics and nothing else; their plugin files are imported."""
    discover(entries=(), files=files)
    registry = Registry()
    registry.plugins["metric"] = list(metrics)
    return registry


def print_to(log: str) -> None:
    """Sends what is printed from now on to the end of a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    file = os.open(log or os.devnull, os.O_WRONLY | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


class Answerer:
    """Answers what a worker asks. ``given``: the metrics and the plugin files that they come from."""

    def __init__(self, connection: Connection, given: tuple[Sequence[Plugin[Any]], Sequence[Path]]) -> None:
        self.connection, self.given = connection, given

    @cached_property
    def registry(self) -> Registry:
        """Of the metrics, imported when a cell is first scored."""
        return registry_of(*self.given)

    def answer_next(self) -> None:
        """Waits for a request and answers it."""
        name, values = json.loads(self.connection.recv_bytes())
        print_to(values["log"])
        if name == ScoringRequest.__name__:
            self._score(ScoringRequest(**values))
        else:
            self._count(CountingRequest(**values))

    def _score(self, request: ScoringRequest) -> None:
        try:
            registry = self.registry
        except Exception as error:
            self.connection.send(ScoringAnswer.of_error(error))
        else:
            self.connection.send(answer(request, registry))

    def _count(self, request: CountingRequest) -> None:
        """Answers when draws may come and when all are counted. What comes after an error is passed over."""
        receiver, ready = DrawReceiver(self.connection), False
        try:
            with PredictionWriter(Path(request.predictions)) as writer:
                self.connection.send(ScoringAnswer({}, {}))
                ready = True
                receiver.count(writer.add, request.classes, in_turn=request.in_turn)
        except (EOFError, ConnectionError):
            raise
        except Exception as error:
            self.connection.send(ScoringAnswer.of_error(error))
            if ready:
                receiver.pass_over()
        else:
            self.connection.send(ScoringAnswer({}, {}))


def main() -> None:
    """Answers until nobody asks any more."""
    leave_with_supervisor()
    connection = Connection(int(sys.argv[1]))
    try:
        answerer = Answerer(connection, connection.recv())
        while True:
            answerer.answer_next()
    except (EOFError, ConnectionError):
        return  # whoever asked has enough


if __name__ == "__main__":
    main()
