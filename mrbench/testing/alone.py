"""Trains a method for a few steps and predicts, in a process of its own: ``python -m mrbench.testing.alone ORDER``.

The order is JSON: ``path`` for imports, ``method`` as ``distribution:name``, and ``plugin_files``.
"""

import json
import sys
from pathlib import Path

from mrbench.testing.scenes import SLICES

SAMPLES = 2


def main(order: str) -> None:
    """Does what the order says; whatever the plugin does wrong ends the process."""
    from mrbench.registry import discover
    from mrbench.testing.candidate import find_candidate

    given = json.loads(order)
    sys.path[:] = given["path"]
    files = [Path(name) for name in given["plugin_files"]]
    candidate = find_candidate(discover(files=files), given["method"], kind="method")
    candidate.rehearsal(SLICES)  # type: ignore[attr-defined]
    candidate.drawer(SLICES)(SLICES.tested[0], SAMPLES, 0)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(sys.argv[1])
