"""What a plugin says of itself before it is loaded: its card, frozen and light to import.

A card names its code as ``"module:attribute"``; it is imported only when it is used.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Literal

from mrbench.errors import PluginError

NO_OPTIONS = "mrbench.configuration:Config"
DECLARED = "__mrbench_card__"
"""Where a decorator leaves the card of a class or function."""

NO_PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


class Capability(StrEnum):
    """What a method can give and take. What it cannot give is "not applicable", never a fake zero."""

    CONSENSUS = "consensus"
    """Yields one consensus segmentation per case."""
    DIVERSE = "diverse"
    """Yields as many samples as asked for."""
    PERSONAL = "personal"
    """Yields a prediction in the style of each rater."""
    MULTI_CLASS = "multi-class"
    """Takes more than two classes (background included)."""
    VOLUMES = "volumes"
    """Takes volumes as well as slices."""
    SEES_TEST_MASKS = "sees_test_masks"
    """Reads the raters' masks of the case that it is scored on: a human reference, not a predictor."""
    TAKES_TURNS = "takes_turns"
    """Its samples are taken in turn: they are no independent draws, and what supposes those is missing."""
    REDRAWS = "redraws"
    """Asks the raters of the test case again, which few data sets can."""


GIVES = {"samples": Capability.DIVERSE, "raters": Capability.PERSONAL, "consensus": Capability.CONSENSUS}
"""Kinds of answers by the words of a card."""


def load_attribute(path: str) -> Any:
    """The object that ``"module:attribute"`` names; dots in the attribute reach into classes.

    Raises:
        ImportError, AttributeError: as the import system reports them.
    """
    module, _, attribute = path.partition(":")
    return attrgetter(attribute)(import_module(module))


@dataclass(frozen=True, kw_only=True)
class PluginCard:
    """What every plugin says of itself.

    Attributes:
        name: the word used on the command line: lower case, digits and hyphens.
        code: ``"module:attribute"``: of a method the class, of a fusion or a data set the function.
        summary: one line for ``mrbench list``.
        version: of the definition; a change that moves numbers raises it. A method's enters the digests of its
            trainings, a metric's those of its scores; a data set's content has a digest of its own.
        citation: the paper, in one line.
        links: addresses of the ``paper`` and of the released ``code``, where they are public; both begin with
            ``https://``.
        licence: of the plugin's code (methods, metrics) or of the data (data sets).
        requires: modules that must be importable for it to run, e.g. ``("torch",)``.
    """

    name: str
    code: str
    summary: str = ""
    version: str = "1"
    citation: str = ""
    licence: str = ""
    requires: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for what, address in self.links.items():
            if what not in ("paper", "code") or not address.startswith("https://"):
                raise PluginError(
                    f"the card of {self.name!r} has a link that is none",
                    expected="paper or code, an address that begins with https://",
                    found=f"{what}: {address}"[:200],
                )

    def load(self) -> Any:
        """Imports and returns what the card names."""
        return load_attribute(self.code)


@dataclass(frozen=True, kw_only=True)
class MethodCard(PluginCard):
    """A method that learns (``kind="method"``) or a training-free fusion of the raters' masks (``kind="fusion"``).

    Attributes:
        config: ``"module:attribute"`` of its typed configuration; a light module, so that planning needs no torch.
            Default: no options.
        gives: the kinds of answers of this row, in words with spaces between them: ``samples``, ``raters``,
            ``consensus``.
        multi_class: does it take more than two classes (background included)?
        volumes: does it take volumes as well as slices?
        presets: named settings, each of what differs from the configuration's defaults. Where there are any, ``paper``
            is one of them without being named, changes nothing, and is used unless another is asked for.
        family: methods of one family share a training: they differ in the answers that they give. Default: the name.
        takes_turns: are its samples taken in turn, of raters, trainings or levels, and so no independent draws? True,
            or the options under which they are. Metrics that suppose independent draws are then missing.
        wraps: is its class a :class:`~mrbench.interfaces.wrapper.Wrapper`, which answers from trainings of the method
            that its options name? Then it gives and takes what that does, with its presets; with ``gives="samples"`` it
            gives samples that it makes of the member's mean probability.
        redraws: does the fusion ask the raters again, by a parameter ``redraw``? Few data sets can.
        differences: where the paper and the released code differ, one sentence each with its source.
    """

    config: str = NO_OPTIONS
    kind: Literal["method", "fusion"] = "method"
    gives: str = ""
    multi_class: bool = True
    volumes: bool = True
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: NO_PRESETS)
    family: str = ""
    takes_turns: bool | Mapping[str, Any] = False
    wraps: bool = False
    redraws: bool = False
    differences: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = [word for word in self.gives.split() if word not in GIVES]
        if unknown:
            raise PluginError(
                f"the card of method {self.name!r} gives {unknown[0]!r}", expected=", ".join(GIVES), found=self.gives
            )
        if self.wraps and (self.gives not in ("", "samples") or self.kind == "fusion"):
            raise PluginError(
                f"the card of method {self.name!r} wraps others and says what it gives",
                expected='no kind="fusion", and no gives but "samples" where it makes its own: else it gives what the '
                "method does that it wraps",
                found=f"kind={self.kind!r}, gives={self.gives!r}",
            )
        if self.redraws and self.kind != "fusion":
            raise PluginError(
                f"the card of method {self.name!r} redraws raters, whom a method never sees",
                expected='kind="fusion", or no redraws',
                found=f"kind={self.kind!r}, redraws=True",
            )
        if self.presets.get("paper"):
            raise PluginError(
                f"the card of method {self.name!r} has a preset 'paper' that changes options",
                expected="defaults that are the paper's; other presets name what differs from them",
                found=", ".join(self.presets["paper"]),
            )
        object.__setattr__(self, "family", self.family or self.name)
        object.__setattr__(self, "presets", {"paper": {}, **self.presets} if self.presets else NO_PRESETS)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it gives and takes, as records of cells say it."""
        takes = {
            Capability.MULTI_CLASS: self.multi_class,
            Capability.VOLUMES: self.volumes,
            Capability.SEES_TEST_MASKS: self.kind == "fusion",
            Capability.TAKES_TURNS: self.takes_turns is True,
            Capability.REDRAWS: self.redraws,
        }
        given = (GIVES[word] for word in self.gives.split())
        return frozenset([*given, *(capability for capability, holds in takes.items() if holds)])

    def capabilities_with(self, options: Mapping[str, Any]) -> frozenset[Capability]:
        """What it gives and takes with these values of its options."""
        turns = self.takes_turns
        chosen = not isinstance(turns, bool) and all(options.get(name) == value for name, value in turns.items())
        return self.capabilities | ({Capability.TAKES_TURNS} if chosen else frozenset())


@dataclass(frozen=True, kw_only=True)
class DatasetCard(PluginCard):
    """A data set.

    Attributes:
        config: ``"module:attribute"`` of its typed configuration; its values enter the data digest. Default: none.
        source: where the data come from and how to get them, for people.
        prepare: ``"module:function"`` taking ``(source: Path, out: Path, config)`` and writing the container that
            ``mrbench data prepare NAME --source PATH`` leaves in the data folder; may return what to tell the user
            in place of "wrote PATH"; empty where nothing is prepared.
        opens: the option that takes the path of any container, such as one that ``mrbench data import`` wrote, or the
            name of one in the data folder; empty where the data set is one of its own.
        generated: is it made from its options alone, without any file?
        readings: how its raters came to their masks, one sentence, where that bears on what their agreement says.
    """

    config: str = NO_OPTIONS
    source: str = ""
    prepare: str = ""
    opens: str = ""
    generated: bool = False
    readings: str = ""


class Direction(StrEnum):
    """Which way is better."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class Need(StrEnum):
    """What a metric is computed from."""

    SAMPLES = "samples"
    RATERS = "raters"
    CONSENSUS = "consensus"


@dataclass(frozen=True, kw_only=True)
class MetricCard(PluginCard):
    """A metric.

    Attributes:
        direction: which way is better.
        range: the least and greatest value that it can take.
        needs: the predictions that it scores; where a method gives none, the metric is missing.
        identified: means something where raters are the same person in every case.
        ranked: means something where raters are ranks: the masks of each case, sorted by area. A metric of neither kind
            means something for all raters.
        table: stands in the table that a run prints; the others stand in the record only.
        empty: what it does on empty masks, one sentence.
    """

    direction: Direction
    range: tuple[float, float]
    needs: Need
    identified: bool = False
    ranked: bool = False
    table: bool = True
    empty: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        # Plugins write plain words; whoever asks for the direction compares enumerations.
        object.__setattr__(self, "direction", Direction(self.direction))
        object.__setattr__(self, "needs", Need(self.needs))

    def means(self, raters: str) -> bool:
        """Does it mean anything for raters of this kind, one of the values of ``Raters``?"""
        kinds = {"identified": self.identified, "ranked": self.ranked}
        return kinds.get(raters, False) or not any(kinds.values())
