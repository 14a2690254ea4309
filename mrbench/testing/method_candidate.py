"""A method under check: trained on a scene once, for all checks that want it. Torch is imported when one does."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from mrbench.errors import NotApplicableError
from mrbench.interfaces.fusion import Trial
from mrbench.testing.candidate import Drawer, Predicting
from mrbench.testing.scenes import Scene

if TYPE_CHECKING:
    import torch

    from mrbench.interfaces.method import Context, Method
    from mrbench.testing.rehearsal import Rehearsal


class MethodCandidate(Predicting):
    """A method under check."""

    @cached_property
    def _rehearsed(self) -> "dict[str, Rehearsal | Exception]":
        return {}

    def rehearse(self, scene: Scene, *, seed: int = 0, **how: Any) -> "Rehearsal":
        """A new method after a few steps on a scene; arguments as for :func:`mrbench.testing.rehearsal.rehearse`.

        Raises:
            Exception: whatever the plugin does wrong.
        """
        from mrbench.testing.rehearsal import rehearse

        return rehearse(self.loaded, self.config, scene, seed=seed, **how)

    def rehearsal(self, scene: Scene) -> "Rehearsal":
        """The method after a few steps on a scene, the same for every check; errors as for :meth:`rehearse`."""
        if scene.name not in self._rehearsed:
            try:
                self._rehearsed[scene.name] = self.rehearse(scene)
            except Exception as error:
                self._rehearsed[scene.name] = error
        found = self._rehearsed[scene.name]
        if isinstance(found, Exception):
            raise found
        return found

    def trained(self, scene: Scene) -> "Rehearsal":
        """As :meth:`rehearsal`, for checks that have another subject than the training.

        Raises:
            NotApplicableError: the training fails; the check of it says how.
        """
        try:
            return self.rehearsal(scene)
        except NotApplicableError:
            raise
        except Exception as error:
            raise NotApplicableError(f"it needs a training that fails: see learns-{scene.name}") from error

    def new(self, scene: Scene, seed: int = 0) -> "Method[Any]":
        """A new method for a scene, untrained."""
        from mrbench.testing.rehearsal import build

        return build(self.loaded, self.config, scene.description, seed)

    def drawer(self, scene: Scene) -> Drawer:
        """The trained method's draws."""
        return self.drawer_of(self.trained(scene).method)

    def drawer_of(self, method: "Method[Any]") -> Drawer:
        """Draws of any method of this class."""
        from mrbench.testing.rehearsal import draw

        return lambda case, n, seed: [Trial(case.present, draw(method, case, n, self.context(seed)))]

    def context(self, seed: int, device: "torch.device | None" = None) -> "Context":
        """What surrounds a prediction; on the CPU unless a device is given."""
        import torch

        from mrbench.interfaces.method import Context

        return Context(seed, device or torch.device("cpu"), self.plugin.card.sampler)
