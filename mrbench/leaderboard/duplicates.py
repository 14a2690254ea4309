"""Duplicates: results that stand on a board twice, of one method or, copied, of two."""

from mrbench.leaderboard.entry import Entry

Same = tuple[object, ...]
"""Equal where results are the same."""


class Duplicates:
    """Remembers the results of entries, in the order in which they come: human references first."""

    def __init__(self) -> None:
        self._results: dict[Same, str] = {}
        self._cases: dict[Same, tuple[str, str]] = {}
        self._people: dict[Same, str] = {}

    def of(self, entry: Entry, path: str) -> str:
        """The path of an earlier entry whose results these are; empty where they are its own."""
        first = self._results.setdefault(same_results(entry), path)
        if first != path:
            return first
        if not entry.finished:
            return ""
        if entry.human:  # several references may agree on every case
            self._people.setdefault(_scored_alike(entry), path)
            return ""
        if reference := self._people.get(_scored_alike(entry)):
            return f"{reference}, made of the raters' masks"
        first, method = self._cases.setdefault(_same_cases(entry), (path, entry.method))
        return f"{first}, another method" if method != entry.method else ""


def same_results(entry: Entry) -> Same:
    """What two entries share where their cells and cases are the same, whatever else they say."""
    cells = tuple((cell.fold, cell.seed, cell.status) for cell in entry.cells)
    return entry.spec.domain, entry.method, entry.prediction_digest, cells, *_cases(entry)


def _same_cases(entry: Entry) -> Same:
    """What entries share where every case has the same scores, whatever the method is called."""
    tested = entry.spec.tested
    return tested.dataset, tested.data_digest, tested.split_digest, *_cases(entry)


def _scored_alike(entry: Entry) -> Same:
    """As :func:`_same_cases`, whatever the seeds are called: a fusion has the same scores from each."""
    tested = entry.spec.tested
    files = {(name.partition("-seed")[0], facts.sha256) for name, facts in entry.files.items() if _of_cases(name)}
    return tested.dataset, tested.data_digest, tested.split_digest, *sorted(files)


def _of_cases(name: str) -> bool:
    return name.endswith(".csv.gz")


def _cases(entry: Entry) -> list[tuple[str, str]]:
    return sorted((name, facts.sha256) for name, facts in entry.files.items() if _of_cases(name))
