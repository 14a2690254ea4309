"""Texts of bounded length: what a plugin says may be megabytes, and is cut before anything is done with it."""

import traceback

REASON = 2_000
"""Characters of one sentence: what an exception says, a part of an error, a warning."""

DETAILS = 20_000
"""Characters of a traceback."""

FRAMES = 50
"""Of a traceback, the first and the last so many are kept."""


def bounded(text: str, limit: int = REASON) -> str:
    """The text, or its beginning and how much there was of it, about ``limit`` characters in all."""
    return text if len(text) <= limit else f"{text[:limit]} ... (cut; {len(text):,} characters in all)"


def said(error: BaseException, limit: int = REASON) -> str:
    """What an exception says, cut; an exception that cannot say it is told of."""
    try:
        return bounded(str(error), limit)
    except Exception as fault:
        return f"(its text cannot be had: {type(fault).__name__})"


def traceback_of(error: BaseException, limit: int = DETAILS) -> str:
    """The traceback of an exception and of those behind it, each text and the whole of it cut."""
    parts: list[str] = []
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen and len(seen) < FRAMES:
        seen.add(id(at))
        parts.append(_one(at))
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return bounded("\nwhich came of:\n\n".join(parts), limit)


def _one(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if len(frames) > 2 * FRAMES:  # of an endless recursion
        frames = traceback.StackSummary.from_list([*frames[:FRAMES], *frames[-FRAMES:]])
    lines = ["Traceback (most recent call last):\n", *frames.format()]
    return "".join(lines) + f"{type(error).__name__}: {said(error)}\n"
