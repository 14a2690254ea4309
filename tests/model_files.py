"""Model files of methods that nobody trained, and the same after somebody changed them."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

from mrbench.applying.scope import Scope
from mrbench.data.description import Description
from mrbench.digests import digest_json
from mrbench.engine.build import method_of
from mrbench.engine.cell import CellSpec
from mrbench.engine.code import recorded
from mrbench.engine.equivalence import known_code
from mrbench.engine.initial import untrained
from mrbench.engine.model_file import CodeFacts, ModelFacts, write_model_file
from mrbench.engine.plan import Request, make_plan
from mrbench.registry import Registry, discover

SMALL = {
    "phantom.subjects": 9, "phantom.size": 32, "proseg.backbone.width": 2, "proseg.backbone.depth": 2,
    "proseg.latent_channels": 2,
}  # fmt: skip
SCOPE = Scope((32, 32), ((32, 32), (32, 32)), ((1.4, 1.4), (1.4, 1.4), (1.4, 1.4)))

Document = dict[str, Any]


def planned(method: str, folder: Path, registry: Registry) -> tuple[CellSpec, Description]:
    """The first cell of a method on the smallest phantom."""
    settings = {name: value for name, value in SMALL.items() if name.partition(".")[0] in ("phantom", method)}
    request = Request(methods=[method], datasets=["phantom"], settings=settings, presets={"": "quick"}, data=folder)
    plan = make_plan(request, registry)
    return plan.cells[0].spec, Description.from_json(dict(plan.descriptions["phantom"]))


def write_untrained(path: Path, method: str = "proseg", plugin_files: Sequence[Path] = ()) -> Path:
    """A model file with a method's initial weights."""
    registry = discover(files=plugin_files)
    spec, description = planned(method, path.parent, registry)
    plugin = method_of(spec, registry)
    facts = ModelFacts(
        name=f"r:phantom:{method}:0:0", spec=spec.as_json(), description=description.as_json(), seen=asdict(SCOPE),
        plugins={method: "mrbench 0.1.0"}, method={"what": plugin.card.summary}, metrics={"ged": 0.5},
        code=CodeFacts(**recorded(known_code(plugin).files, plugin.modules)),
    )  # fmt: skip
    weights = [untrained(one, method_of(one, registry), description).state_dict() for one in spec.trainings]
    write_model_file(path, facts, f"# {method}\n\nA card.\n", weights)
    return path


def changed(
    source: Path, target: Path, change: Callable[[Document, dict[str, bytes]], None], compression: int = ZIP_STORED
) -> Path:
    """The file after somebody changed document and members, who knows how to make digests and seals right again."""
    with ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(members.pop("model.json"))
    change(document, members)
    for name, content in members.items():
        if name in document["files"]:
            document["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    document.pop("sha256", None)
    text = json.dumps(document | {"sha256": digest_json(document)})
    with ZipFile(target, "w", compression) as archive:
        for name, content in {"model.json": text.encode(), **members}.items():
            archive.writestr(name, content)
    return target
