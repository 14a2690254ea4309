"""The process that scores: ``python -P -m mrbench.engine.scorer SOCKET``. It imports metrics and no other plugin.

The first message names the metrics; each further one is a :class:`ScoringRequest` as JSON. It ends with the socket.
"""

import json
import os
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from mrbench.engine.phases import score
from mrbench.engine.profile import Profile
from mrbench.engine.scoring import ScoringAnswer, ScoringRequest
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


def main() -> None:
    """Answers until nobody asks any more."""
    leave_with_supervisor()
    connection = Connection(int(sys.argv[1]))
    registry: Registry | None = None
    try:
        given = connection.recv()
        while True:
            request = ScoringRequest(**json.loads(connection.recv_bytes()))
            print_to(request.log)
            try:
                registry = registry or registry_of(*given)
            except Exception as error:
                connection.send(ScoringAnswer.of_error(error))
            else:
                connection.send(answer(request, registry))
    except (EOFError, ConnectionError):
        return  # whoever asked has enough


if __name__ == "__main__":
    main()
