"""The record of every class of the modules beside it, its name made of the class's."""

import re
from importlib.util import find_spec
from pathlib import Path

from mrbench import DatasetCard, MethodCard, hookimpl

MRBENCH_API = "1"

CONFIG = "bad_config:BadConfig"
GIVES = {"diverse", "personal", "multi-class", "volumes"}
SCENES = ("slices", "volumes", "missing", "absent", "silent", "empty", "classes", "channels", "odd", "one-case",
          "single", "one-rater", "ranked", "exchangeable")  # fmt: skip


def classes(module):
    source = Path(find_spec(module).origin).read_text()
    names = re.findall(r"^class (\w+)\((?!Dataset|Fusion|Method)\w+\):", source, re.MULTILINE)
    bases = re.findall(r"^class (\w+)\((?:Dataset|Fusion|Method)\):", source, re.MULTILINE)
    return [*bases, *names]


def hyphened(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def method(name, code, **more):
    values = {"config": CONFIG, "gives": GIVES, "summary": code} | more
    return MethodCard(name=name, code=f"bad_methods:{code}", **values)


def failing(prefix, code, make, **more):
    return [make(f"{prefix}-{scene}", code, presets={"quick": {"fault": scene}}, **more) for scene in SCENES]


def fusion(name, code, **more):
    values = {"config": CONFIG, "gives": "samples consensus"} | more
    return MethodCard(name=name, kind="fusion", code=f"bad_fusions:{code}", summary=code, **values)


@hookimpl
def mrbench_methods():
    return [
        *(method(hyphened(name), name) for name in classes("bad_methods")),
        method("no-method", "NoMethod"),
        method("gone", "Gone"),
        method("lost", "Good", presets={"quick": {"falt": 1}}),
        method("helpless", "Good", config="bad_config:Helpless"),
        method("heavy-options", "Good", config="heavy_config:BadConfig"),
        method("misspelt", "Good", presets={"quick": {}, "paper": {"falt": "none"}}),
        method("silent", "Good", gives=""),
        method("twin-a", "Good", presets={"quick": {}}, family="twins", sampler="a"),
        method("twin-b", "Good", presets={"quick": {"fault": "other"}}, family="twins", sampler="b"),
        *failing("learns", "FailsOn", method),
        *failing("draws", "FailsToDraw", method),
        *(fusion(f"fusion-{hyphened(name)}", name) for name in classes("bad_fusions") if name != "Blind"),
        fusion("fusion-blind", "Blind", multi_class=False),
        *failing("fusion", "FailsOn", fusion),
    ]  # fmt: skip


@hookimpl
def mrbench_datasets():
    return [
        DatasetCard(name=hyphened(name), code=f"bad_datasets:{name}", config=CONFIG, summary=name)
        for name in classes("bad_datasets")
    ]
