"""mrbench: the benchmark harness for multi-rater medical image segmentation.

Names are imported on first use, so that ``import mrbench`` loads neither torch, pandas, scipy nor h5py.
Research software: nothing here is a medical device.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

MRBENCH_API = "2"
"""Major version of the plugin interface; a plugin module states the one that it was written for."""

_EXPORTS = {
    "Batch": "mrbench.interfaces.method",
    "Capability": "mrbench.cards",
    "Case": "mrbench.data.case",
    "CaseSet": "mrbench.data.caseset",
    "Config": "mrbench.configuration",
    "DatasetCard": "mrbench.cards",
    "Description": "mrbench.data.description",
    "Image": "mrbench.data.case",
    "Key": "mrbench.interfaces.metric",
    "Method": "mrbench.interfaces.method",
    "MethodCard": "mrbench.cards",
    "MetricCard": "mrbench.cards",
    "MrbenchError": "mrbench.errors",
    "Noise": "mrbench.interfaces.noise",
    "ParameterGroup": "mrbench.interfaces.method",
    "Probabilities": "mrbench.interfaces.method",
    "Raters": "mrbench.data.description",
    "Stage": "mrbench.interfaces.method",
    "TrainingOptions": "mrbench.interfaces.training",
    "Trial": "mrbench.interfaces.fusion",
    "Unit": "mrbench.data.description",
    "hookimpl": "mrbench.hooks",
    "compare": "mrbench.door",
    "dataset": "mrbench.interfaces.declared",
    "fusion": "mrbench.interfaces.declared",
    "load_dataset": "mrbench.data.loading",
    "load_model": "mrbench.engine.model",
    "load_results": "mrbench.door",
    "method": "mrbench.interfaces.declared",
    "metric": "mrbench.interfaces.metric",
    "run": "mrbench.door",
}

__all__ = ["MRBENCH_API", "__version__", *_EXPORTS]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'mrbench' has no attribute {name!r}")
    return getattr(import_module(_EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
