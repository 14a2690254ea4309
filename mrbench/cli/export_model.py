"""``mrbench export-model``."""

from pathlib import Path

import click

from mrbench.cli.options import FOLDER, PLUGIN_FILES
from mrbench.cli.plugins import registry
from mrbench.results.columns import RESEARCH
from mrbench.visible import visible


@click.command("export-model")
@click.argument("training", metavar="RUN:[DATASET:]METHOD:FOLD[:SEED]")
@click.option("--to", type=click.Path(path_type=Path), required=True, help="The file to write; it must not be there.")
@click.option("--other-code", is_flag=True, help="Write it where other code is installed than it was trained with.")
@FOLDER
@PLUGIN_FILES
def command(training: str, to: Path, other_code: bool, out: Path, plugin_files: tuple[Path, ...]) -> None:
    """Write a run's trained method as one file that predicts elsewhere.

    The file holds weights, options, what the data set declares, licences, citations and a card for people; no code.
    Where it predicts, the same plugin has to be installed.

    \b
    mrbench export-model last:proseg:0 --to lesions.mrbench
    mrbench info lesions.mrbench
    mrbench predict lesions.mrbench scan.nii.gz --to predicted
    """
    from mrbench.applying.export import export_model
    from mrbench.applying.trainings import find_trainings

    chosen = find_trainings(training, out)
    for note in export_model(chosen, to, registry(plugin_files), plugin_files, other_code=other_code):
        click.echo(visible(note), err=True)
    click.echo(visible(f"{chosen.names[0]}\nwrote {to}: {to.stat().st_size / 2**20:.2f} MiB"))
    click.echo(f"What it is: mrbench info {to}. {RESEARCH}")
