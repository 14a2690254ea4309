"""The checks as pytest tests."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from mrbench.errors import NotApplicableError
from mrbench.registry import discover
from mrbench.testing.check import Check, CheckedKind

F = TypeVar("F", bound=Callable[..., Any])


class BoundCheck:
    """A check of one plugin; calling it runs it, and skips the test where it does not apply."""

    def __init__(self, check: Check, candidate: Any) -> None:
        self.check, self.candidate = check, candidate

    def __repr__(self) -> str:
        return f"<check {self.check.name} of {self.candidate.plugin.qualified}>"

    def __call__(self) -> None:
        """Raises what the check raises."""
        import pytest

        __tracebackhide__ = True
        try:
            self.check.run(self.candidate)
        except NotApplicableError as error:
            pytest.skip(error.what)


def conformance(
    name: str,
    *,
    kind: CheckedKind | None = None,
    expected_failures: Mapping[str, str] | None = None,
    plugin_files: Sequence[Path | str] = (),
    data: Path | None = None,
) -> Callable[[F], F]:
    """Parametrises a test over the checks of a plugin; the test takes ``check`` and calls it.

    Args:
        name: ``distribution:name``, or a bare name while it is unique.
        kind: where a name is used for several kinds.
        expected_failures: reasons by name of check; such a test must fail (a strict xfail).
        plugin_files: plugins of single files.
        data: the folder of prepared data, for data sets.

    Raises:
        UnknownNameError: no such plugin, or an expected failure of no such check.
    """
    import pytest

    from mrbench.testing.candidate import find_candidate
    from mrbench.testing.catalogue import check_names, checks_of

    files = [Path(path) for path in plugin_files]
    candidate = find_candidate(discover(files=files), name, kind=kind, plugin_files=files, data=data)
    checks, expected = checks_of(candidate), dict(expected_failures or {})
    check_names(expected, [check.name for check in checks], f"for kind {candidate.kind!r}")
    parameters = [
        pytest.param(BoundCheck(check, candidate), id=check.name, marks=_marks(expected.get(check.name)))
        for check in checks
    ]
    return pytest.mark.parametrize("check", parameters)


def _marks(reason: str | None) -> list[Any]:
    import pytest

    return [] if reason is None else [pytest.mark.xfail(reason=reason, strict=True)]
