"""``python -m mrbench``."""

from mrbench.cli import main

main()
