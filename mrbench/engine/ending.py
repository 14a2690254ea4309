"""SIGTERM and SIGHUP of a worker: it ends at once, or at the next moment at which what it does can be saved."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Ending:
    """Whether this process was asked to end."""

    def __init__(self) -> None:
        self.asked = self.deferred = False

    def listen(self) -> None:
        """Ends this process by ``SystemExit`` at the first signal; a later one would interrupt what is being saved."""
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                signal.signal(number, self._leave)

    def _leave(self, *_: object) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        self.asked = True
        if not self.deferred:
            sys.exit(1)

    @contextmanager
    def at_safe_points(self) -> Iterator[Callable[[], bool]]:
        """Leaves it to what runs inside to end where it can; gives what says whether it was asked to.

        Its supervisor ends what takes longer than its patience.
        """
        self.deferred = True
        try:
            yield lambda: self.asked
        finally:
            self.deferred = False
        if self.asked:
            sys.exit(1)
