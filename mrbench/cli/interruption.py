"""Signals that end a command: what runs is stopped, one line says so, and the exit code names the signal."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import click

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Turns the first signal into a ``KeyboardInterrupt``, so that all that runs is ended as by Ctrl-C.

    Raises:
        SystemExit: with 128 + the signal's number as its code, 130, 143 or 129.
    """
    received: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        # A second one would end the clean end; whoever presses Ctrl-C again wants that.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        raise KeyboardInterrupt

    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, interrupt)
    try:
        yield
    except BaseException as error:
        if not received and not isinstance(error, KeyboardInterrupt):
            raise
        _tell()
        sys.exit(128 + (received or [signal.SIGINT])[0])


def _tell() -> None:
    with suppress(OSError):
        click.echo("mrbench: interrupted; the same command continues from here", err=True)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # the terminal is gone, which would be told of at the very end, with another exit code
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
