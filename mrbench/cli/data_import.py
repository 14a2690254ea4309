"""``mrbench data import``."""

import re
import shlex
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from mrbench.cli.mask_options import mask_options, pop_rules
from mrbench.cli.options import DATA
from mrbench.cli.plugins import registry
from mrbench.data.description import Augmentation, Raters
from mrbench.data.folder import data_folder
from mrbench.data.imported import check_free, container_name
from mrbench.errors import UsageError
from mrbench.visible import visible

if TYPE_CHECKING:
    from mrbench.data.importing.understand import Understood
    from mrbench.registry import Registry

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
HDF5 = (".h5", ".hdf5")
KINDS = (Raters.IDENTIFIED.value, Raters.EXCHANGEABLE.value)

EPILOG = """\b
Patterns have the fields {case} {rater} {subject} {slice}:
  --image 'images/{case}.png' --mask 'masks/{rater}/{case}.png'
A CSV file has the columns case, rater, image, mask and maybe subject and slice.
What mask values mean, where they do not tell it themselves:
  --labels 0=background,127=liver,255=tumour    --labels '#ff0000=tumour'
  --threshold 128    --threshold 0.5    --invert"""


@click.command("import", short_help="Turn your own folder of images and masks into a container.", epilog=EPILOG)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The container to write, NAME.h5. [default: in the data folder]",
)
@click.option("--force", is_flag=True, help="Replace a container that is there.")
@click.option("--dry-run", is_flag=True, help="Say what is understood, and write nothing.")
@click.option("--name", help="Of the data set. [default: that of --out, else of the folder]")
@click.option("--image", "images", multiple=True, metavar="PATTERN", help="How images are named; repeat for several.")
@click.option("--mask", "masks", multiple=True, metavar="PATTERN", help="How masks are named; repeat for several.")
@click.option(
    "--csv",
    "table",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A table that names the files instead, by paths relative to it.",
)
@click.option(
    "--subject-from", metavar="PATTERN", help="Whose a case is, by its name: '{subject}_{slice}'; no fold splits one."
)
@click.option(
    "--classes",
    multiple=True,
    metavar="NAME",
    help="A name for each mask value above 0, ascending; repeat, or commas between. [default: numbered]",
)
@mask_options
@click.option(
    "--rater-axis",
    type=click.Choice(("first", "last")),
    help="Masks of all raters are stacked in one file per case, along this axis of it. [default: as the shapes tell]",
)
@click.option(
    "--rater-names", multiple=True, metavar="NAME", help="Of the raters along that axis, in order; commas between."
)
@click.option(
    "--void",
    type=click.IntRange(1, 65535),
    metavar="VALUE",
    help="What masks hold where nobody judged, often 255; these pixels count neither to train nor to score.",
)
@click.option("--raters", type=click.Choice(KINDS), help="[default: identified where the same names recur]")
@click.option("--folds", type=click.IntRange(2), help="[default: 5, or as many as there are subjects]")
@click.option(
    "--training-size",
    type=click.IntRange(1),
    nargs=2,
    metavar="H W",
    help="Crop or pad slices for training. [default: the largest, where sizes differ]",
)
@click.option(
    "--augment",
    type=click.Choice(get_args(Augmentation)),
    multiple=True,
    help="What training may do to a slice; repeat for several. [default: nothing]",
)
@click.option("--licence", default="", metavar="TEXT", help="Of the data.")
@click.option("--citation", default="", metavar="TEXT", help="Of the data.")
@DATA
def import_folder(
    folder: Path, out: Path | None, data: Path | None, force: bool, dry_run: bool, **options: Any
) -> None:
    """Turn a folder with an image per case and a mask per rater into a container.

    Files are PNG, TIFF, NIfTI, npy or npz; images also JPEG. FOLDER may be an HDF5 file that holds the arrays. What can
    be seen is not asked for. A rater without a file is absent; an empty mask says that nothing was marked.
    """
    from mrbench.data.checks import ImageShift
    from mrbench.data.importing.understand import understand
    from mrbench.data.importing.write import write_import

    found_plugins = registry()
    asked = _request(folder, out, options)
    check_free(asked.name, found_plugins)
    path = out or data_folder(data) / f"{asked.name}.h5"
    if path.suffix.lower() not in HDF5:
        raise UsageError(f"{path} is no name of a container", expected=f"one that ends with {' or '.join(HDF5)}")
    is_there = path.exists()
    if is_there and not force and not dry_run:
        raise _is_there(path, asked.name)
    found = understand(asked)
    _print(found, asked.name)
    if dry_run:
        click.echo("nothing was written; without --dry-run it will be")
        if is_there:
            click.echo(f"and with --force, for this is there already: {visible(str(path))}")
        return
    wrote = "replaced" if is_there else "wrote"
    watch = ImageShift()
    digest = write_import(found, path, watch)
    click.echo(f"{wrote} {visible(str(path))} (content digest {digest[:16]})")
    for line in watch.warnings():
        click.echo(click.wrap_text(f"look at: {visible(line)}", shutil.get_terminal_size().columns, "", "  "))
    for line in _next_commands(path, asked.name, found_plugins):
        click.echo(f"  {line}")


def _is_there(path: Path, name: str) -> UsageError:
    return UsageError(
        f"{path} is there already",
        expected="a name that is free",
        hint=f"another --name, or --force to replace it; what it holds: mrbench data info {name}",
    )


def _request(folder: Path, out: Path | None, options: dict[str, Any]) -> Any:
    from mrbench.data.importing.request import Request

    if options["table"] and (options["images"] or options["masks"]):
        raise UsageError("--csv names the files itself", expected="either --csv, or --image and --mask")
    classes, rater_names = (_split(options.pop(one)) for one in ("classes", "rater_names"))
    return Request(
        folder=folder,
        name=_name(options.pop("name"), folder, out),
        classes=classes,
        rater_names=rater_names,
        rules=pop_rules(options),
        raters=Raters(kind) if (kind := options.pop("raters")) else None,
        augmentation=options.pop("augment"),
        **options,
    )


def _split(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.strip() for text in texts for name in text.split(","))


def _name(name: str | None, folder: Path, out: Path | None) -> str:
    if name is None and out is not None and NAME.fullmatch(out.stem):
        return out.stem  # under which the file is found
    if name is None:
        own = folder.stem if folder.suffix.lower() in HDF5 else folder.resolve().name
        return re.sub(r"[^A-Za-z0-9_-]+", "-", own)[:80].strip("-_") or "my-data"
    if not NAME.fullmatch(name):
        expected = "at most 80 letters, digits, hyphens, underscores and dots"
        raise UsageError(f"{name[:80]!r} cannot name a data set", expected=expected)
    return name


def _print(found: "Understood", name: str) -> None:
    from mrbench.data.importing.told import tell

    formatter = click.HelpFormatter(max_width=100)
    with formatter.section(visible(f"{name}: what is understood of {found.layout.listing.folder}")):
        formatter.write_dl([(title, visible(text)) for title, text in tell(found)])
    click.echo(formatter.getvalue())


def _next_commands(path: Path, name: str, found: "Registry") -> Iterator[str]:
    """What goes on from the container: by its name in the folder that it lies in, else by its path."""
    from mrbench.cli import COMMANDS

    by_name, folder = path.name == container_name(name), path.resolve().parent
    opener = next((plugin for plugin in found.plugins["dataset"] if plugin.card.opens), None)
    if opener is None:
        return
    name = name if by_name else opener.key
    words = ["--data", str(folder)] if by_name and folder != data_folder().resolve() else []
    commands: Sequence[Sequence[str]] = (
        ("data", "verify", name),
        ("data", "inspect", name, "--out", f"{path.stem}.png"),
        *([("agreement", name)] if "agreement" in COMMANDS else []),
        ("run", "--method", "unet-majority", "--preset", "quick", "--dataset", name),
    )
    for command in commands:
        whose = f"{opener.name}." if command[0] == "run" else ""
        file = [] if by_name else ["--set", f"{whose}{opener.card.opens}={path.resolve()}"]
        yield shlex.join(["mrbench", *command, *file, *words])
