"""A data set: one function from files, or from nothing, to cases with splits."""

from collections.abc import Callable
from typing import Any

from mrbench.data.caseset import CaseSet

Load = Callable[[Any, Any], CaseSet]
"""``load(config, folder)``: the cases, with a split named ``strict`` that no subject crosses.

``config`` is the configuration that the card names, ``folder`` the path where prepared data live; nothing is written to
it. Files that are not there are a :class:`~mrbench.errors.DataAbsentError`, which says how to get them and which
command prepares them; files that are there and wrong a :class:`~mrbench.errors.DataError`, which names the case.
"""
