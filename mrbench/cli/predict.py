"""``mrbench predict``."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mrbench.cli.options import FOLDER, PLUGIN_FILES
from mrbench.cli.plugins import registry
from mrbench.engine.launch import DEVICES
from mrbench.errors import UnknownNameError, UsageError
from mrbench.metrics.protocol import MAX_PREDICTIONS
from mrbench.results.columns import RESEARCH
from mrbench.visible import visible

if TYPE_CHECKING:
    from mrbench.applying.command import Loading, Predicting, Told


def _read_centre(ctx: click.Context, param: click.Parameter, text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    if not (found := re.fullmatch(r"(\d{1,6}),(\d{1,6})", text)):
        raise click.BadParameter(f"{text!r} is no place in pixels, such as 120,96.", ctx, param)
    return int(found[1]), int(found[2])


@click.command("predict")
@click.argument("model", metavar="MODEL")
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IMAGE...")
@click.option("--to", type=click.Path(path_type=Path), required=True, help="The folder to write, new or empty.")
@click.option(
    "--samples", type=click.IntRange(1, MAX_PREDICTIONS), default=16, show_default=True, help="S for each image."
)
@click.option("--raters", is_flag=True, help="Write a mask in the style of each rater as well.")
@click.option("--ensemble", is_flag=True, help="The mean over all trainings that the name means.")
@click.option("--tile", is_flag=True, help="Predict a larger image in windows of the training size that overlap.")
@click.option(
    "--centre", callback=_read_centre, metavar="X,Y", help="Predict one window of that size, around this pixel."
)
@click.option("--force", is_flag=True, help="Write into a folder of earlier predictions; equal names are replaced.")
@click.option("--other-code", is_flag=True, help="Predict with other code than it was trained with; marks the outputs.")
@click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True, help="Where to compute.")
@FOLDER
@PLUGIN_FILES
def command(
    model: str,
    images: tuple[Path, ...],
    to: Path,
    samples: int,
    raters: bool,
    ensemble: bool,
    tile: bool,
    centre: tuple[int, int] | None,
    force: bool,
    other_code: bool,
    device: str,
    out: Path,
    plugin_files: tuple[Path, ...],
) -> None:
    """Apply a trained method to images: samples, raters' masks, mean and variance.

    MODEL is a training of a run, RUN:[DATASET:]METHOD:FOLD[:SEED], or a file that mrbench export-model wrote. RUN is a
    run's id, its folder, or "last"; a name that means several trainings lists them. IMAGE is a PNG, TIFF, JPEG, NIfTI,
    npy or npz file, or a folder of them; its predictions are files of the same kind on its own grid, in a folder of its
    name, with a picture. The image's name is its case's: with the name of one of the run's cases, and as many samples,
    draws are the run's.

    \b
    mrbench predict last:proseg:0 scan.nii.gz --samples 16 --raters --to predicted
    mrbench predict lesions.mrbench scans --to predicted

    \b
    Exit codes: 0 all images are predicted, 1 some are not.
    """
    from mrbench.applying.command import Asked, Loading

    loading = Loading(device, plugin_files, other_code)
    predicting = _opened(model, out, loading, ensemble=ensemble)
    for name in predicting.names:
        click.echo(visible(name))
    for note in predicting.notes:
        click.echo(visible(note), err=True)
    asked = Asked(samples=samples, raters=raters, tile=tile, centre=centre, force=force)
    done: list[Told] = []
    for told in predicting.write(images, to, asked):
        done.append(told)
        click.echo(_line(told), err=told.error is not None)
    if other := predicting.model.other_code:
        click.echo(visible(f"predicted by other code than it was trained with: {other}"), err=True)
    failed = sum(told.error is not None for told in done)
    good = len(done) - failed
    count = f"{good} image{'s' * (good != 1)}" + (f", {failed} failed" if failed else "")
    click.echo(visible(f"wrote {to}: {count}; picture.png in the folder of each shows its predictions"))
    click.echo(RESEARCH)
    sys.exit(1 if failed else 0)


def _opened(model: str, out: Path, loading: "Loading", *, ensemble: bool) -> "Predicting":
    from mrbench.applying.command import Predicting
    from mrbench.applying.trainings import find_trainings

    plugins = registry(loading.plugin_files)
    if Path(model).is_file():
        if ensemble:
            raise UsageError("--ensemble is for trainings of a run", found=f"the model file {model}")
        return Predicting.of_file(Path(model), loading)
    try:
        chosen = find_trainings(model, out, ensemble=ensemble)
    except UnknownNameError as error:
        if ":" in model:
            raise
        hint = f"{error.hint}; or name a file that mrbench export-model wrote"
        raise UsageError(error.what, expected=error.expected, hint=hint) from None
    return Predicting.of_trainings(chosen, plugins, loading)


def _line(told: "Told") -> str:
    """An image, and what was done to it that one would not expect."""
    if told.error:
        return f"mrbench: {told.error.message}"
    return visible(f"  {told.named.path}" + (f": {'; '.join(told.lines)}" if told.lines else ""))
