"""A plugin under check, with what the checks need of it; loaded when a check first asks."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mrbench.cards import Capability
from mrbench.configuration import Config, flat
from mrbench.data.case import Case
from mrbench.engine.given import check_given
from mrbench.engine.predict import Predictor
from mrbench.errors import MrbenchError, NotApplicableError, PluginError, UnknownNameError, UsageError
from mrbench.interfaces.fusion import Fuse, bound
from mrbench.registry import KINDS, Plugin, Registry
from mrbench.seeds import derive_noise
from mrbench.testing.check import CheckedKind
from mrbench.testing.drawn import Drawn, drawn
from mrbench.testing.scenes import SLICES, Scene

if TYPE_CHECKING:
    import torch

    from mrbench.interfaces.method import Method
    from mrbench.testing.operations import Operations
    from mrbench.testing.rehearsal import Rehearsal

SMALLEST_PRESET = "quick"

SAMPLES, SEED = 6, 3
"""Of a prediction that is nothing special."""

STEPS = 24
"""Of a long training, on one repeated batch, per stage."""


@dataclass(eq=False)
class Candidate:
    """A plugin under check.

    Attributes:
        kind: of checks that apply to it.
        registry: where it was found.
        plugin_files: plugins of single files in the registry.
        data: the folder of prepared data, for data sets.
    """

    plugin: Plugin[Any]
    kind: CheckedKind
    registry: Registry
    plugin_files: tuple[Path, ...] = ()
    data: Path = Path()

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What its card declares; nothing for data sets and metrics."""
        found: frozenset[Capability] = getattr(self.plugin.card, "capabilities", frozenset())
        return found

    @cached_property
    def loaded(self) -> Any:
        """The class behind its card.

        Raises:
            NotApplicableError: it cannot be imported; the check ``loads`` says how.
        """
        try:
            return self.plugin.load()
        except PluginError as error:
            raise NotApplicableError("its class cannot be loaded: see loads") from error

    @property
    def preset(self) -> str:
        """The settings that the checks run with: ``quick``, else the first preset, else none."""
        presets = list(getattr(self.plugin.card, "presets", ()))
        return SMALLEST_PRESET if SMALLEST_PRESET in presets else next(iter(presets), "")

    @cached_property
    def config(self) -> Config:
        """Its options under :attr:`preset`.

        Raises:
            NotApplicableError: they cannot be had; the checks ``options`` and ``presets`` say how.
        """
        values = self.plugin.card.presets[self.preset] if self.preset else {}
        try:
            config: Config = self.plugin.load_config().parse(flat(values), owner=self.plugin.key)
        except MrbenchError as error:
            raise NotApplicableError("its options cannot be had: see options and presets") from error
        return config


class Predicting(Candidate):
    """A plugin that predicts: a method or a fusion."""

    @abstractmethod
    def predictor(self, scene: Scene, n: int = SAMPLES, seed: int = SEED) -> Predictor:
        """The harness's, with n samples, for cases like those of the scene.

        Raises:
            NotApplicableError: the plugin does not get so far; another check says why.
        """

    def draw(self, scene: Scene, case: Case, n: int = SAMPLES, seed: int = SEED) -> list[Drawn]:
        """A case's draws, for checks that have another subject than that there are draws at all.

        Raises:
            NotApplicableError: it cannot draw for the scene's first case; the check of that says how.
        """
        if scene.name not in self._draws:
            self._draws[scene.name] = works(lambda: drawn(self.predictor(scene), scene.tested[0]))
        if not self._draws[scene.name]:
            raise NotApplicableError(f"it needs draws that fail: see draws-{scene.name}")
        return drawn(self.predictor(scene, n, seed), case)

    @property
    @abstractmethod
    def is_random(self) -> bool:
        """Does it draw anything from the noise that it is given?"""

    @cached_property
    def _draws(self) -> dict[str, bool]:
        return {}


def works(call: Callable[[], object]) -> bool:
    """Does a call of a plugin's code end well?

    Raises:
        NotApplicableError: it does not get so far; another check says why.
    """
    try:
        call()
    except NotApplicableError:
        raise
    except (Exception, SystemExit):
        return False
    return True


class FusionCandidate(Predicting):
    """A fusion under check."""

    def predictor(self, scene: Scene, n: int = SAMPLES, seed: int = SEED) -> Predictor:
        """The fusion with its options, for the scene's description."""
        return Predictor.of_fusion(self.plugin.card, scene.description, n, self._bound(scene), seed)

    @property
    def is_random(self) -> bool:
        """Does it move the generator that it is given?"""
        noise = derive_noise(SEED)
        before = noise.bit_generator.state
        self.fuse(SLICES.tested[0], noise)
        return bool(noise.bit_generator.state != before)

    def fuse(self, case: Case, noise: np.random.Generator) -> None:
        """Calls the fusion with arrays that it may write to, which the harness does not."""
        found = self._bound(SLICES)(case.masks, case.present, SAMPLES, noise)
        if isinstance(found, Iterator):
            list(found)  # a generator works when it is asked for its trials

    def _bound(self, scene: Scene) -> Fuse:
        try:
            return bound(self.loaded, self.config, scene.description)
        except PluginError as error:
            raise NotApplicableError("it cannot be called: see loads") from error


class MethodCandidate(Predicting):
    """A method under check, trained on a scene once for all checks that want it. Torch is imported when one does."""

    @cached_property
    def _rehearsed(self) -> "dict[tuple[str, bool], Rehearsal | Exception]":
        return {}

    def rehearse(self, scene: Scene, *, seed: int = 0, **how: Any) -> "Rehearsal":
        """A new method after a few steps on a scene; arguments as for :func:`mrbench.testing.rehearsal.rehearse`.

        Raises:
            Exception: whatever the plugin does wrong.
        """
        from mrbench.testing.rehearsal import rehearse

        return rehearse(self.loaded, self.config, scene, seed=seed, **how)

    def rehearsal(self, scene: Scene, *, long: bool = False) -> "Rehearsal":
        """The method after a few steps on a scene, the same for every check; errors as for :meth:`rehearse`.

        Args:
            long: after :data:`STEPS` on one batch.
        """
        key = scene.name, long
        if key not in self._rehearsed:
            try:
                self._rehearsed[key] = self.rehearse(scene, **({"epochs": STEPS, "one_batch": True} if long else {}))
            except Exception as error:
                self._rehearsed[key] = error
        found = self._rehearsed[key]
        if isinstance(found, Exception):
            raise found
        return found

    def trained(self, scene: Scene, *, long: bool = False) -> "Rehearsal":
        """As :meth:`rehearsal`, for checks that have another subject than the training.

        Raises:
            NotApplicableError: the training fails; the check of it says how.
        """
        try:
            return self.rehearsal(scene, long=long)
        except NotApplicableError:
            raise
        except Exception as error:
            see = "loss-falls" if long else f"learns-{scene.name}"
            raise NotApplicableError(f"it needs a training that fails: see {see}") from error

    def new(self, scene: Scene, seed: int = 0) -> "Method[Any]":
        """A new method for a scene, untrained."""
        from mrbench.testing.rehearsal import build

        return build(self.loaded, self.config, scene.description, seed)

    def predictor(self, scene: Scene, n: int = SAMPLES, seed: int = SEED) -> Predictor:
        """The trained method's, on the CPU."""
        return self.predictor_of(self.trained(scene).method, scene, n, seed)

    def predictor_of(
        self,
        method: "Method[Any]",
        scene: Scene,
        n: int = SAMPLES,
        seed: int = SEED,
        device: "torch.device | None" = None,
    ) -> Predictor:
        """Of any method of this class."""
        import torch

        from mrbench.engine.draws import Source

        self._expect_answers()
        source = Source(method, self.plugin.card, seed, device or torch.device("cpu"))
        return Predictor.of_method(scene.description, n, source)

    def operations(self, scene: Scene = SLICES, *, long: bool = False) -> "Operations":
        """The trained method's answers, for direct calls.

        Raises:
            NotApplicableError: it has none of the declared ones, or its training fails.
        """
        from mrbench.testing.operations import Operations

        self._expect_answers()
        return Operations(self.trained(scene, long=long).method, self.plugin.card, scene)

    @property
    def answering(self) -> "Operations":
        """As :meth:`operations`, for checks that have another subject than the shape of an answer.

        Raises:
            NotApplicableError: an answer fails; ``answer-shape`` says how.
        """
        if not self._answers:
            raise NotApplicableError("it needs answers that fail: see answer-shape")
        return self.operations()

    @cached_property
    def _answers(self) -> bool:
        operations = self.operations()
        return works(lambda: [operations.ask(question) for question in operations.questions])

    @property
    def is_random(self) -> bool:
        """Does an answer draw from a site, or are there samples, which must?"""
        operations = self.answering
        sites = any(operations.ask(question).sites for question in operations.questions)
        return sites or Capability.DIVERSE in self.capabilities

    def _expect_answers(self) -> None:
        try:
            check_given(self.loaded, self.plugin.card)
        except PluginError as error:
            raise NotApplicableError("it lacks an answer that its card gives: see capabilities") from error
        if not self.plugin.card.gives:
            raise NotApplicableError("its card gives no answer: see capabilities")


def find_candidate(
    registry: Registry,
    name: str,
    *,
    kind: CheckedKind | None = None,
    plugin_files: Sequence[Path] = (),
    data: Path | None = None,
) -> Candidate:
    """The plugin of a name, whatever its kind.

    Args:
        name: ``distribution:name``, or a bare name while it is unique.
        kind: where a name is used for several kinds.
        data: the folder of prepared data; None: as commands find it.

    Raises:
        UnknownNameError: nothing answers to the name.
        UsageError: plugins of several kinds, or of several distributions, do.
    """
    from mrbench.data.folder import data_folder

    found = {of: registry.get(of, name) for of in KINDS if _answers(registry, of, name)}
    by_kind = {_kind(plugin, of): plugin for of, plugin in found.items()}
    chosen = {of: plugin for of, plugin in by_kind.items() if kind in (None, of)}
    if len(chosen) > 1:
        kinds = " or ".join(f"--kind {of}" for of in chosen)
        raise UsageError(f"{name!r} names plugins of several kinds", hint=f"say {kinds}")
    if not chosen:
        raise _unknown(registry, name, kind)
    of, plugin = next(iter(chosen.items()))
    if getattr(plugin.card, "wraps", False):
        raise UsageError(
            f"{plugin.key!r} trains nothing of its own, and the checks are of what is trained",
            expected="the name of a method that learns, such as it is made of",
            hint="mrbench list methods",
        )
    return _class(of)(plugin, of, registry, tuple(plugin_files), data_folder(data))


def _answers(registry: Registry, kind: Any, name: str) -> bool:
    return any(name in (p.qualified, p.card.name) for p in registry.of_kind(kind))


def _kind(plugin: Plugin[Any], kind: Any) -> CheckedKind:
    own: CheckedKind = getattr(plugin.card, "kind", kind)
    return own


def _unknown(registry: Registry, name: str, kind: CheckedKind | None) -> UnknownNameError:
    known = [plugin.key for of in KINDS for plugin in registry.of_kind(of) if kind in (None, _kind(plugin, of))]
    spoken = "data set" if kind == "dataset" else kind or "plugin"
    return UnknownNameError(spoken, name, known, hint=registry.remedy(name, "mrbench list"))


def _class(kind: CheckedKind) -> type[Candidate]:
    from mrbench.testing.datasets import DatasetCandidate

    classes = {"method": MethodCandidate, "fusion": FusionCandidate, "dataset": DatasetCandidate, "metric": Candidate}
    return classes[kind]
