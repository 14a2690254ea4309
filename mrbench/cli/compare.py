"""``mrbench compare``."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mrbench.cli.options import METRICS, OUT, PLUGIN_FILES, read_budgets
from mrbench.cli.plugins import registry, tell_absent_files
from mrbench.engine.result import exit_code
from mrbench.errors import UsageError
from mrbench.metrics.protocol import PROTOCOLS
from mrbench.registry import Registry

if TYPE_CHECKING:
    from mrbench.comparison.report import ComparisonReport


@click.command("compare")
@click.argument("runs", nargs=-1, metavar="[RUN[:METHOD]]...")
@click.option("--against", metavar="METHOD", help="The method that the others are compared with.")
@click.option("--each", is_flag=True, help="Compare within each run, not between them.")
@click.option("--letters", is_flag=True, help="Also test all pairs: rows that are not told apart share a letter.")
@click.option(
    "--components", is_flag=True, help="Also show what each method's values vary by: subjects, trainings, folds."
)
@click.option("--allow-mixed", is_flag=True, help="Show other data or splits side by side too, labelled and untested.")
@click.option("--protocols", is_flag=True, help="Show what each scoring variant shifts, one at a time, instead.")
@click.option(
    "--samples",
    metavar="N",
    callback=read_budgets,
    help="Score the first N samples of every method; with --protocols N,N,... also how each count shifts.",
)
@click.option(
    "--protocol",
    type=click.Choice(sorted(PROTOCOLS)),
    help="How stored predictions become numbers, for all. [default: strict]",
)
@METRICS
@PLUGIN_FILES
@OUT
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.svg",
    help="Also draw the intervals: .svg, .png or .pdf.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    runs: tuple[str, ...],
    against: str | None,
    each: bool,
    letters: bool,
    components: bool,
    allow_mixed: bool,
    protocols: bool,
    samples: tuple[int, ...],
    protocol: str | None,
    metrics: tuple[str, ...],
    plugin_files: tuple[Path, ...],
    out: Path,
    picture: Path | None,
    as_json: bool,
) -> None:
    """Print paired differences of methods: interval, corrected p and verdict over subjects and trainings.

    An operand is a run (its id, its folder, or "last", the default) or one method of a run, RUN:METHOD. One run alone,
    three or more, or --against: all methods with one. Two runs: methods of equal names, or the one method of a side
    with all of the other. A difference is the second less the first, on the folds and cases that both have. Two seeds
    or more per fold tell what another training would give: mrbench run --seeds 3.

    \b
    mrbench compare last --against unet-soft
    mrbench compare RUN_A:proseg RUN_B:proseg
    mrbench compare last --letters
    mrbench compare --protocols last
    """
    given = {
        "a second run": len(runs) > 1,
        "--against": against,
        "--each": each,
        "--letters": letters,
        "--components": components,
        "--allow-mixed": allow_mixed,
        "--protocol": protocol,
        "--picture": picture,
    }
    _check_together([name for name, value in given.items() if value], protocols, samples)
    found = registry(plugin_files)
    for name in metrics:
        found.get("metric", name)
    if picture is not None:
        from mrbench.comparison.picture import check_picture

        check_picture(picture)
    if protocols:
        _print_sensitivity((runs or ("last",))[0], found, samples, metrics, out, as_json)
        return
    chosen = Comparing(
        runs=runs or ("last",),
        against=against or "",
        each=each,
        letters=letters,
        components=components,
        allow_mixed=allow_mixed,
        protocol=protocol or "strict",
        samples=samples[0] if samples else None,
        metrics=metrics,
        out=out,
    )
    _print_differences(chosen, found, picture, as_json)


def _check_together(given: Sequence[str], protocols: bool, samples: Sequence[int]) -> None:
    if protocols and given:
        raise UsageError(f"--protocols takes no {given[0].removeprefix('a ')}", expected=PROTOCOLS_USAGE)
    if len(samples) > 1 and not protocols:
        raise UsageError(
            "differences are compared at one number of samples",
            expected="--samples N",
            found=",".join(map(str, samples)),
            hint=f"{PROTOCOLS_USAGE} --samples 4,10 shows what each number shifts",
        )


PROTOCOLS_USAGE = "mrbench compare --protocols RUN"


@dataclass(frozen=True)
class Comparing:
    """What is compared, as it was typed."""

    runs: Sequence[str]
    against: str
    each: bool
    letters: bool
    components: bool
    allow_mixed: bool
    protocol: str
    samples: int | None
    metrics: tuple[str, ...]
    out: Path


def _compared(chosen: Comparing, found: Registry) -> "ComparisonReport":
    from mrbench.comparison.pairs import pair
    from mrbench.comparison.report import ComparisonReport
    from mrbench.comparison.selection import parse_operand
    from mrbench.results.reader import ScoreReader

    pairing = pair([parse_operand(run, chosen.out) for run in chosen.runs], chosen.against, each=chosen.each)
    reader = ScoreReader(found, PROTOCOLS[chosen.protocol], chosen.metrics, chosen.samples)
    return ComparisonReport.of(
        pairing, reader, allow_mixed=chosen.allow_mixed, letters=chosen.letters, components=chosen.components
    )


def _print_differences(chosen: Comparing, found: Registry, picture: Path | None, as_json: bool) -> None:
    from mrbench.cli.compare_tables import differences_json, print_differences
    from mrbench.comparison.picture import draw_differences

    compared = _compared(chosen, found)
    tell_absent_files(compared.results, found)
    if as_json:
        click.echo(json.dumps(differences_json(compared), indent=1))
    else:
        print_differences(compared)
    if picture is not None:
        draw_differences(compared, picture)
        click.echo(f"wrote {picture}", err=as_json)
    sys.exit(exit_code(compared.results))


def _print_sensitivity(
    run: str, found: Registry, samples: Sequence[int], metrics: tuple[str, ...], out: Path, as_json: bool
) -> None:
    from mrbench.cli.compare_tables import print_sensitivity, sensitivity_json
    from mrbench.comparison.protocol_sensitivity import sensitivity
    from mrbench.comparison.protocol_variants import variants
    from mrbench.comparison.selection import parse_operand

    operand, chosen = parse_operand(run, out), variants(samples)
    tables = sensitivity(operand, found, chosen, metrics)
    rows = [row for dataset in operand.datasets for row in operand.runs(dataset)]
    tell_absent_files([result for row in rows for result in row.results], found)
    if as_json:
        click.echo(json.dumps(sensitivity_json(tables, chosen), indent=1))
    else:
        print_sensitivity(tables, chosen)
    read = [run for one in tables for run in one.methods]
    kept = [row for row in rows if not row.done]
    sys.exit(exit_code([result for run in (*read, *kept) for result in run.results]))
