"""Draws on their way from the process that draws them to one that never imported the plugin, which counts them.

Texts are JSON and arrays are bytes: who receives them executes nothing of the sender's.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from mrbench.data.case import Case
from mrbench.engine.predict import Predicted, count
from mrbench.interfaces.draw import Draw, DrawKind

END = "end"


class RefusedError(Exception):
    """Whoever was to take draws is gone, or has an answer already."""


class DrawSender:
    """Sends the trials of cases, one after another.

    Args:
        connection: to a process that has a :class:`DrawReceiver`.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def add(self, case: Case, trials: Iterable[tuple[np.ndarray, Iterable[Draw]]]) -> None:
        """Sends a case with the truth ``(R,)`` and the draws of each of its trials.

        Raises:
            RefusedError: nobody takes it any more.
        """
        self._send("case", {"id": case.id, "subject": case.subject, "spacing": case.spacing}, case.masks)
        if case.valid is not None:
            self._send("valid", {}, case.valid)
        for truth, draws in trials:
            self._send("trial", {}, truth)
            for draw in draws:
                self._send("draw", {"kind": draw.kind, "rater": draw.rater}, draw.probability)
        if self.connection.poll():
            raise RefusedError

    def end(self) -> None:
        """Says that there are no more cases. Errors as of :meth:`add`."""
        self._send(END, {}, np.zeros(0))

    def _send(self, what: str, facts: Mapping[str, Any], array: np.ndarray) -> None:
        head = {"what": what, "shape": array.shape, "type": array.dtype.str, **facts}
        try:
            self.connection.send_bytes(json.dumps(head).encode())
            self.connection.send_bytes(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        except OSError as error:
            raise RefusedError from error


class DrawReceiver:
    """Counts what a :class:`DrawSender` sends.

    Attributes:
        head, array: what arrived last.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.head: dict[str, Any] = {"what": ""}
        self.array = np.zeros(0)

    def count(self, add: Callable[[str, str, list[Predicted]], None], classes: int, *, in_turn: bool = False) -> None:
        """Gives every case up to the end to ``add``: its name, its subject and its trials.

        Args:
            classes: K.
            in_turn: are the samples taken in turn, and so no independent draws?

        Raises:
            DataError: a case with more raters, or another spacing, than there can be.
            EOFError: the sender is gone.
        """
        self._receive()
        while self.head["what"] == "case":
            case, masks, valid, trials = self.head, self.array, None, list[Predicted]()
            self._receive()
            if self.head["what"] == "valid":
                valid = self.array
                self._receive()
            while self.head["what"] == "trial":
                draws = self._draws()
                trials.append(count(masks, self.array, classes, case["spacing"], draws, valid, in_turn=in_turn))
            add(case["id"], case["subject"], trials)

    def pass_over(self) -> None:
        """Takes the rest and counts nothing of it."""
        while self.head["what"] != END:
            self._receive()

    def _draws(self) -> Iterator[Draw]:
        self._receive()
        while self.head["what"] == "draw":
            yield Draw(DrawKind(self.head["kind"]), self.array, self.head["rater"])
            self._receive()

    def _receive(self) -> None:
        self.head = json.loads(self.connection.recv_bytes())
        flat = np.frombuffer(self.connection.recv_bytes(), np.dtype(self.head["type"]))
        self.array = flat.reshape(self.head["shape"])
