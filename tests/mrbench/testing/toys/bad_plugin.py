"""The card of every class of the modules beside it, its name made of the class's."""

import re
from importlib.util import find_spec
from pathlib import Path

from mrbench import DatasetCard, MethodCard, hookimpl

MRBENCH_API = "2"

CONFIG = "bad_config:BadConfig"
GIVES = "samples raters"
SCENES = ("slices", "volumes", "missing", "absent", "silent", "empty", "classes", "channels", "odd", "one-case",
          "single", "one-rater", "ranked", "exchangeable")  # fmt: skip
OWN_ROWS = {"Lacking", "OfRaters", "OfCertainRaters", "HalfTwin", "TwoClassSigmoid"}


def classes(module):
    source = Path(find_spec(module).origin).read_text()
    names = re.findall(r"^class (\w+)\((?!Method)\w+\):", source, re.MULTILINE)
    bases = re.findall(r"^class (\w+)\(Method\):", source, re.MULTILINE)
    return [*bases, *names]


def functions(module):
    return re.findall(r"^def ([a-z]\w+)\(", Path(find_spec(module).origin).read_text(), re.MULTILINE)


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
        *(method(hyphened(name), name) for name in classes("bad_methods") if name not in OWN_ROWS),
        method("no-method", "NoMethod"),
        method("gone", "Gone"),
        method("lost", "Good", presets={"quick": {"falt": 1}}),
        method("helpless", "Good", config="bad_config:Helpless"),
        method("heavy-options", "Good", config="heavy_config:BadConfig"),
        method("misspelt", "Good", presets={"quick": {}, "slow": {"falt": "none"}}),
        method("silent", "Good", gives=""),
        method("lacking", "Lacking", gives="samples raters consensus"),
        method("samples-of-raters", "OfRaters", gives="samples"),
        method("samples-of-certain-raters", "OfCertainRaters", gives="samples"),
        method("two-class-sigmoid", "TwoClassSigmoid", multi_class=False),
        method("twin-a", "Good", presets={"quick": {}}, family="twins"),
        method("twin-b", "Good", presets={"quick": {"fault": "other"}}, family="twins", gives="samples"),
        method("double", "Good", family="doubles"),
        method("double-again", "Good", family="doubles"),
        method("half", "Good", family="halves"),
        method("other-half", "HalfTwin", family="halves", gives="samples"),
        *failing("learns", "FailsOn", method),
        *failing("draws", "FailsToDraw", method),
        *(fusion(f"fusion-{name.replace('_', '-')}", name) for name in functions("bad_fusions")),
        fusion("fusion-giving-nothing", "vote", gives=""),
        *failing("fusion", "fails_on", fusion),
    ]  # fmt: skip


@hookimpl
def mrbench_datasets():
    return [
        DatasetCard(name=name.replace("_", "-"), code=f"bad_datasets:{name}", config=CONFIG, summary=name)
        for name in functions("bad_datasets")
    ]
