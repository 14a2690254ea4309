"""Duplicates: results that stand on a board twice, of one method or, copied, of two."""

from mrbench.leaderboard.entry import Entry

Same = tuple[object, ...]
"""Equal where results are the same."""


class Duplicates:
    """Remembers the results of entries, in the order in which they come."""

    def __init__(self) -> None:
        self._results: dict[Same, str] = {}
        self._cases: dict[Same, tuple[str, str]] = {}

    def of(self, entry: Entry, path: str) -> str:
        """The path of an earlier entry whose results these are; empty where they are its own."""
        first = self._results.setdefault(same_results(entry), path)
        if first != path:
            return first
        if not entry.finished:
            return ""
        first, method = self._cases.setdefault(_same_cases(entry), (path, entry.method))
        if entry.human:  # several references may agree on every case
            return ""
        return f"{first}, another method" if method != entry.method else ""


def same_results(entry: Entry) -> Same:
    """What two entries share where their cells and cases are the same, whatever else they say."""
    cells = tuple((cell.fold, cell.seed, cell.status) for cell in entry.cells)
    return entry.spec.domain, entry.method, entry.prediction_digest, cells, *_cases(entry)


def _same_cases(entry: Entry) -> Same:
    """What entries share where every case has the same scores, whatever the method is called."""
    tested = entry.spec.tested
    return tested.dataset, tested.data_digest, tested.split_digest, *_cases(entry)


def _cases(entry: Entry) -> list[tuple[str, str]]:
    return sorted((name, facts.sha256) for name, facts in entry.files.items() if name.endswith(".csv.gz"))
