"""What a method's class must define for what its card gives."""

from collections.abc import Iterable

from mrbench.cards import MethodCard
from mrbench.errors import PluginError
from mrbench.places import of_function

OPERATIONS = {"samples": "sample", "raters": "as_rater", "consensus": "consensus"}
"""The answers of a class by the words of a card."""

SERVES = {"samples": ("sample", "as_rater"), "raters": ("as_rater",), "consensus": ("consensus",)}
"""One of these is needed: a sample may be that of a random rater."""


def defined(method: type) -> list[str]:
    """The answers that a class defines, itself or by a base, such as ``as_rater``."""
    from mrbench.interfaces.method import Method

    return [name for name in OPERATIONS.values() if getattr(method, name, None) not in (None, getattr(Method, name))]


def check_given(method: type, card: MethodCard) -> None:
    """Refuses a class that lacks an answer of its card.

    Raises:
        PluginError: names the answer, or the page on moving where the class is of the first edition of the interface.
    """
    own, words = defined(method), card.gives.split()
    old = getattr(method, "predict", None)
    if not own and callable(old):
        raise PluginError(
            f"{method.__name__} is of the first edition of the interface",
            expected=_calls([OPERATIONS[word] for word in words] or OPERATIONS.values()),
            found="predict(), and no answer",
            hint="docs/moving.md says how to move",
            place=of_function(old),
        )
    for word in words:
        if not set(SERVES[word]) & set(own):
            raise PluginError(
                f"{method.__name__} does not give {word}, as the card of {card.name!r} says",
                expected=_calls(SERVES[word], " or "),
                found=_calls(own) or "no answer",
            )


def _calls(names: Iterable[str], joint: str = ", ") -> str:
    return joint.join(f"{name}()" for name in names)
