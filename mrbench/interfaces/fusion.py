"""Training-free fusions and bounds: rows made of the raters' own masks, each one function."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from inspect import signature
from typing import Any

import numpy as np

from mrbench.configuration import Config
from mrbench.data.description import Description
from mrbench.errors import PluginError
from mrbench.places import of_function

Answers = np.ndarray | Sequence[np.ndarray]
"""One answer or several: labels ``(*spatial)``, integers below K, or float probabilities ``(K, *spatial)``."""


@dataclass(frozen=True, eq=False)
class Trial:
    """What a fusion answers for one case, and against whom it is scored.

    A fusion that predicts one rater from the others gives one trial per rater left out; a case's value is the mean
    over its trials. Each answer is labels ``(*spatial)``, integers below K, or float probabilities ``(K, *spatial)``
    that sum to one over K.

    Attributes:
        consensus: one answer.
        samples: n answers tied to no rater, an array with a first axis of n or a sequence.
        raters: for columns of raters, one answer each, or several, draw 0 first.
        truth: ``(R,)`` bool, the raters who are scored against, one or more of those present; None: all of them.
    """

    consensus: np.ndarray | None = None
    samples: Answers | None = None
    raters: Mapping[int, Answers] | None = None
    truth: np.ndarray | None = None


Fuse = Callable[..., Trial | Iterable[Trial] | None]
"""``fuse(masks, present, n, noise)``, and ``config=`` and ``description=`` where its signature names them.

``masks``, ``(R, *spatial)`` unsigned integers below K, read only; rows of absent raters carry no meaning. ``present``,
``(R,)`` bool, who looked at this case, one at least, read only. ``n`` samples are asked for. ``noise`` is a NumPy
generator seeded by (prediction seed, case). Void pixels are background in all masks and count in no score, whatever is
answered there; a fusion that estimates over pixels has a parameter ``valid=None``, and gets ``(*spatial)`` bool, the
pixels that count, or None where all do. A fusion whose card says ``redraws=True`` has a parameter ``redraw``, and gets
``redraw(rater, draw)``: labels ``(*spatial)``, what the rater of that column, who is present, marks when asked again;
draws of other numbers are independent, and the same number gives the same mask. None, or no trial, where the case has
too few raters for this fusion. It sees the masks that it is scored on, and its rows say so.
"""

ASKED = ("masks", "present", "n", "noise")


def bound(fuse: Fuse, config: Config, description: Description) -> Fuse:
    """A fusion with its options and its data set's description, as far as its signature names them.

    Raises:
        PluginError: a function of other arguments.
    """
    given: dict[str, Any] = {"config": config, "description": description}
    own = signature(fuse)
    call = partial(fuse, **{name: value for name, value in given.items() if name in own.parameters})
    try:
        signature(call).bind(*ASKED, **({"redraw": None} if "redraw" in own.parameters else {}))
    except TypeError as error:
        raise PluginError(
            f"a fusion cannot be called: {error}",
            expected=f"a function of {', '.join(ASKED)}, and of config and description where it wants them",
            found=f"{getattr(fuse, '__name__', fuse)}{own}",
            place=of_function(fuse),
        ) from None
    return call
