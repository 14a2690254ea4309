"""Conformance: what every plugin must do, as checks that anybody can run on a method, fusion, data set or metric.

``mrbench check NAME`` runs them from the command line, :func:`conformance` and ``mrbench.testing.pytest_plugin`` in
pytest.
"""

from mrbench.testing.check import Check
from mrbench.testing.parametrise import conformance

__all__ = ["Check", "conformance"]
