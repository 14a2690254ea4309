"""Names that are taken twice: they work, and may surprise."""

from collections.abc import Collection, Sequence

from mrbench.naming import BUILT_IN, Named, qualified


def twice(kind: str, known: Sequence[Named], built_in: Collection[str] = ()) -> list[str]:
    """A sentence per name that a built-in one shadows, or that several distributions provide.

    Args:
        built_in: names of built-in ones that are not among ``known``.
    """
    own = {one.name for one in known if one.distribution == BUILT_IN} | set(built_in)
    others: dict[str, list[str]] = {}
    for one in known:
        if one.distribution != BUILT_IN:
            others.setdefault(one.name, []).append(repr(qualified(one)))
    return [_sentence(kind, name, keys, name in own) for name, keys in others.items() if name in own or len(keys) > 1]


def _sentence(kind: str, name: str, keys: Sequence[str], built_in: bool) -> str:
    if built_in:
        return f"{kind} {name!r} means the built-in one; say {' or '.join(keys)} for the other"
    return f"{kind} {name!r} is provided by several plugins; say {' or '.join(keys)}"
