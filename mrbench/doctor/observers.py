"""The observers, and whether each says that it can work here."""

from mrbench.doctor.names import twice
from mrbench.doctor.section import Section
from mrbench.engine.observers import check
from mrbench.errors import MrbenchError
from mrbench.registry import Observer, Registry


def observers(registry: Registry) -> Section:
    """Whom ``mrbench run --observe`` can name, and what each one's own check finds."""
    found = {one.key: {"summary": one.summary, "state": _state(one)} for one in registry.observers}
    return Section(
        title="observers",
        rows=[(name, facts["state"]) for name, facts in found.items()],
        facts=found,
        notes=twice("observer", registry.observers),
    )


def _state(observer: Observer) -> str:
    try:
        check(observer)
    except MrbenchError as error:
        return ". ".join(filter(None, [f"not ready: {error.what}", error.found, error.hint]))
    return "ready"
