"""Where prepared data live, and results."""

import os
from pathlib import Path

import platformdirs

VARIABLE = "MRBENCH_DATA"

RESULTS = Path("results")
"""Where results go unless somebody says otherwise."""


def data_folder(option: Path | None = None) -> Path:
    """The folder of prepared data: ``option``, else ``$MRBENCH_DATA``, else the user's data folder. Nothing is created.

    An empty ``$MRBENCH_DATA`` counts as unset; ``~`` is expanded.
    """
    chosen = option or os.environ.get(VARIABLE) or Path(platformdirs.user_data_dir("mrbench"))
    return Path(chosen).expanduser()
