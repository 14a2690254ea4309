"""``mrbench agreement``."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mrbench.cli.dataset import SETTINGS, configured
from mrbench.cli.options import DATA, METRICS, PLUGIN_FILES
from mrbench.cli.plugins import registry
from mrbench.data.loading import cases_of
from mrbench.engine.threads import LIBRARIES
from mrbench.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    import numpy as np

    from mrbench.agreement.survey import Agreement
    from mrbench.data.caseset import CaseSet

PARTS = ("train", "validation", "test")
PROTOCOLS = ("published", "strict")
"""By name alone: what loads NumPy must wait until its threads are set."""


@click.command("agreement")
@click.argument("dataset")
@DATA
@SETTINGS
@click.option("--split", default="strict", show_default=True, metavar="NAME", help="The split of --part and --fold.")
@click.option("--part", type=click.Choice(PARTS), help="Only these cases of the split. [default: all cases]")
@click.option("--fold", type=click.IntRange(0), help="Only this fold of the split. [default: all of them]")
@click.option(
    "--protocol",
    type=click.Choice(PROTOCOLS),
    default="strict",
    show_default=True,
    help="Two empty masks, and the weight of subjects.",
)
@click.option(
    "--samples",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="Samples per case of the human reference rows that draw.",
)
@METRICS
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Also write text and JSON here.")
@click.option("--picture", is_flag=True, help="Write PNG figures of distances and area ranks to the folder too.")
@PLUGIN_FILES
def command(
    dataset: str,
    data: Path | None,
    settings: tuple[str, ...],
    split: str,
    part: str | None,
    fold: int | None,
    protocol: str,
    samples: int,
    metrics: tuple[str, ...],
    form: str,
    out: Path | None,
    picture: bool,
    plugin_files: tuple[Path, ...],
) -> None:
    """Measure how far the raters of a data set agree, with intervals by bootstrap over subjects.

    Distances and Dice of each two raters, area ranks, relative areas, STAPLE's sensitivity and specificity, Fleiss'
    kappa, Krippendorff's alpha, human reference rows under every metric, duplicates and absent raters.

    \b
    mrbench agreement phantom
    mrbench agreement phantom --out agreement --picture
    mrbench agreement phantom --part test --fold 0 --format json
    """
    _check_pictures(out, picture)
    for name in LIBRARIES:
        os.environ.setdefault(name, "1")  # matrices are small here: threads would wait for each other
    from mrbench.agreement.survey import survey
    from mrbench.metrics import protocol as scoring

    found = registry(plugin_files)
    for name in metrics:
        found.get("metric", name)
    cases = cases_of(*configured(dataset, settings, found, data), data)
    indices, chosen = _chosen(cases, split, part, fold)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    agreement = survey(
        cases, found, scoring.PROTOCOLS[protocol], samples=samples, metrics=metrics, indices=indices, chosen=chosen,
        progress=_progress(len(indices)),
    )  # fmt: skip
    _print(agreement, form)
    if out is not None:
        _write(agreement, out, picture)


def _check_pictures(out: Path | None, picture: bool) -> None:
    from importlib.util import find_spec

    if picture and out is None:
        raise UsageError("--picture needs a folder to write to", hint="--out FOLDER --picture")
    if picture and find_spec("matplotlib") is None:
        raise UsageError("figures need matplotlib, which is not installed", hint="pip install 'mrbench[report]'")


def _chosen(cases: "CaseSet", split: str, part: str | None, fold: int | None) -> "tuple[np.ndarray, str]":
    import numpy as np

    if part is None and fold is None:
        return np.arange(len(cases)), "all cases"
    folds = dict(enumerate(cases.split(split).folds))
    if fold is not None and fold not in folds:
        raise UnknownNameError("fold", str(fold), map(str, folds), where=f"of split {split!r}")
    used = [folds[fold]] if fold is not None else list(folds.values())
    parts = [part] if part else PARTS
    indices = np.unique(np.concatenate([one.parts()[name] for one in used for name in parts]))
    if not len(indices):
        raise UsageError(f"split {split!r} has no {part} cases", hint="leave out --part, or name another one")
    where = f"fold {fold}" if fold is not None else "all folds"
    return indices, f"{part or 'all'} cases of {where} of split {split}"


def _progress(number: int) -> Any:
    def wrapped(cases: Iterator[Any]) -> Iterator[Any]:
        if not sys.stderr.isatty():
            yield from cases
            return
        with click.progressbar(cases, length=number, label="cases", file=sys.stderr) as bar:
            yield from bar

    return wrapped


def _print(agreement: "Agreement", form: str) -> None:
    if form == "json":
        from mrbench.agreement.document import as_document

        click.echo(json.dumps(as_document(agreement), indent=1, allow_nan=False))
    else:
        from rich.console import Console

        from mrbench.cli.agreement_tables import print_agreement

        print_agreement(agreement, Console())


def _write(agreement: "Agreement", out: Path, picture: bool) -> None:
    from rich.console import Console

    from mrbench.agreement.document import as_document
    from mrbench.cli.agreement_tables import print_agreement
    from mrbench.files import replaced, write_json

    write_json(out / "agreement.json", as_document(agreement))
    with replaced(out / "agreement.txt") as temporary, temporary.open("w", encoding="utf-8") as file:
        print_agreement(agreement, Console(file=file, width=120))
    written = [out / "agreement.json", out / "agreement.txt"]
    if picture:
        from mrbench.agreement.pictures import write_pictures

        written += write_pictures(agreement, out)
    for path in written:
        click.echo(f"wrote {path}", err=True)
