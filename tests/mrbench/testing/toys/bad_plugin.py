"""The record of every class of the modules beside it, its name made of the class's."""

import re
from importlib.util import find_spec
from pathlib import Path

from mrbench import DatasetRecord, MethodRecord, MetricRecord, hookimpl

MRBENCH_API = "1"

CONFIG = "bad_config:BadConfig"
GIVES = {"diverse", "personal", "multi-class", "volumes"}
SCENES = ("slices", "volumes", "missing", "absent", "silent", "empty", "classes", "channels", "odd", "one-case",
          "single", "one-rater", "ranked", "exchangeable")  # fmt: skip


def classes(module):
    source = Path(find_spec(module).origin).read_text()
    names = re.findall(r"^class (\w+)\((?!Metric|Dataset|Fusion|Method)\w+\):", source, re.MULTILINE)
    bases = re.findall(r"^class (\w+)\((?:Metric|Dataset|Fusion|Method)\):", source, re.MULTILINE)
    return [*bases, *names]


def hyphened(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def method(name, factory, **more):
    values = {"config": CONFIG, "capabilities": GIVES, "summary": factory} | more
    return MethodRecord(name=name, factory=f"bad_methods:{factory}", **values)


def failing(prefix, factory, make, **more):
    return [make(f"{prefix}-{scene}", factory, presets={"quick": {"fault": scene}}, **more) for scene in SCENES]


def fusion(name, factory, **more):
    values = {"config": CONFIG, "capabilities": {"consensus", "diverse", "volumes", "sees_test_masks"}} | more
    return MethodRecord(name=name, kind="fusion", factory=f"bad_fusions:{factory}", summary=factory, **values)


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
        method("silent", "Good", capabilities={"multi-class", "volumes"}),
        method("twin-a", "Good", presets={"quick": {}}, family="twins", sampler="a"),
        method("twin-b", "Good", presets={"quick": {"fault": "other"}}, family="twins", sampler="b"),
        method("not-deterministic", "Good", capabilities=GIVES | {"deterministic"}),
        *failing("learns", "FailsOn", method),
        *failing("draws", "FailsToDraw", method),
        *(fusion(f"fusion-{hyphened(name)}", name) for name in classes("bad_fusions") if name != "Blind"),
        fusion("fusion-blind", "Blind", capabilities={"consensus", "diverse", "volumes"}),
        *failing("fusion", "FailsOn", fusion, capabilities={
            "consensus", "diverse", "volumes", "multi-class", "sees_test_masks"
        }),
    ]  # fmt: skip


@hookimpl
def mrbench_datasets():
    return [
        DatasetRecord(name=hyphened(name), factory=f"bad_datasets:{name}", config=CONFIG, summary=name)
        for name in classes("bad_datasets")
    ]


@hookimpl
def mrbench_metrics():
    shapes = ("full", "two-classes", "samples", "raters", "consensus", "one-sample", "missing", "one-rater", "unmarked",
              "one-unmarked", "empty", "nothing", "no-class", "volume")  # fmt: skip
    found = [(hyphened(name), name) for name in classes("bad_metrics")]
    found += [(f"fails-on-{shape}", f"FailsOn_{shape.replace('-', '_')}") for shape in shapes]
    return [
        MetricRecord(
            name=name,
            factory=f"bad_metrics:{factory}",
            summary=factory,
            direction="higher",
            range=(0, 1),
            needs="samples",
        )
        for name, factory in found
        if name != "fails-on"
    ]
