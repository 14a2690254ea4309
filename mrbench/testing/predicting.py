"""A method or a fusion under check: trained once for all checks, drawn from as the harness draws."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mrbench.cards import Capability
from mrbench.data.case import Case
from mrbench.engine.given import check_given
from mrbench.engine.predict import Predictor
from mrbench.engine.redraws import redraw_argument, redraws_fit
from mrbench.errors import NotApplicableError, PluginError
from mrbench.interfaces.fusion import Fuse, bound
from mrbench.seeds import derive_noise
from mrbench.testing.candidate import Candidate
from mrbench.testing.drawn import Drawn, drawn
from mrbench.testing.scenes import SLICES, Scene

if TYPE_CHECKING:
    import torch

    from mrbench.interfaces.method import Method
    from mrbench.testing.operations import Operations
    from mrbench.testing.rehearsal import Rehearsal

SAMPLES, SEED = 6, 3
"""Of a prediction that is nothing special."""

STEPS = 24
"""Of a long training, on one repeated batch, per stage."""


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
        if reasons := redraws_fit(self.plugin.card, scene.cases):
            raise NotApplicableError("; ".join(reasons))
        return Predictor.of_fusion(self.plugin.card, scene.description, n, self._bound(scene), seed)

    @property
    def is_random(self) -> bool:
        """Does it move the generator that it is given, or ask raters again?"""
        noise = derive_noise(SEED)
        before = noise.bit_generator.state
        self.fuse(SLICES.tested[0], noise)
        return bool(self.plugin.card.redraws or noise.bit_generator.state != before)

    def fuse(self, case: Case, noise: np.random.Generator) -> None:
        """Calls the fusion with arrays that it may write to, which the harness does not."""
        fuse = self._bound(SLICES)
        again = redraw_argument(fuse, self.plugin.card, case, SEED)
        found = fuse(case.masks, case.present, SAMPLES, noise, **again)
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
