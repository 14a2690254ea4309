import re
from collections.abc import Callable
from pathlib import Path

import pytest

TOYS = Path(__file__).parent / "toys"
SLOW = {"light-import", "light-options", "cpu", "memory-steady"}


@pytest.fixture
def bad(make_distribution: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installs plugins with one fault each; the current folder is the test's own."""
    sources = {path.stem: path.read_text() for path in TOYS.glob("*.py")}
    entries = ("bad_plugin", "bad_metrics", "heavy_plugin", "slow_plugin")
    make_distribution("mrbench-bad", sources, {name: name for name in entries})
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def failures(bad: None) -> Callable[..., dict[str, str]]:
    """Checks that fail for a bad plugin, with what they say; slow checks only where they are named."""
    from mrbench.registry import discover
    from mrbench.testing.candidate import find_candidate
    from mrbench.testing.catalogue import checks_of
    from mrbench.testing.check import Verdict, run_check

    def fail(name: str, *only: str, kind: str | None = None) -> dict[str, str]:
        candidate = find_candidate(discover(), f"mrbench-bad:{name}", kind=kind)  # type: ignore[arg-type]
        checks = [check for check in checks_of(candidate, only) if only or check.name not in SLOW]
        outcomes = [run_check(check, candidate) for check in checks]
        return {
            outcome.check.name: re.sub(
                r"(?<=\.py:)\d+", "LINE", f"{outcome.what} | {outcome.expected} | {outcome.found}"
            )
            for outcome in outcomes
            if outcome.verdict is Verdict.FAILED
        }

    return fail
