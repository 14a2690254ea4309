"""Names of pages. Names of methods and data sets come from strangers: a file is named by them where they are plain."""

import hashlib
import re

from mrbench.errors import DataError
from mrbench.leaderboard.store import ID

_PLAIN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LENGTH = 40


def slug(name: str) -> str:
    """A name as part of a file's name: itself where it is plain, else what is plain of it with a digest.

    Different names never share one: only a digest stands behind two hyphens.
    """
    if len(name) <= LENGTH and _PLAIN.fullmatch(name):
        return name
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower())[:LENGTH].strip("-")
    return f"{plain}--{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:16]}"


def dataset_page(name: str) -> str:
    """Of a data set, below the site's folder."""
    return f"datasets/{slug(name)}.html"


def method_page(name: str) -> str:
    """Of a method, below the site's folder."""
    return f"methods/{slug(name)}.html"


def record_page(id: str) -> str:
    """Of an entry, below the site's folder.

    Raises:
        DataError: no entry has such an id.
    """
    if not ID.fullmatch(id):
        raise DataError(f"no entry has the id {id!r}", expected="16 hex digits")
    return f"records/{id}.html"


def question_page(name: str) -> str:
    """Of a question, below the site's folder."""
    return f"questions/{slug(name)}.html"


def rows_file(dataset: str, key: str) -> str:
    """Of a table's rows as data, below the site's folder."""
    return f"rows/{slug(dataset)}--{slug(key)}.js"


def older_file(rows: str) -> str:
    """Of its older rows, which few ask for."""
    return f"{rows.removesuffix('.js')}--older.js"
