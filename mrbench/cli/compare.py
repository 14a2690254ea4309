"""``mrbench compare``."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from mrbench.cli.options import METRICS, OUT, PLUGIN_FILES, read_budgets
from mrbench.cli.plugins import registry, tell_absent_files
from mrbench.engine.result import exit_code
from mrbench.errors import UsageError
from mrbench.metrics.protocol import PROTOCOLS
from mrbench.registry import Registry

if TYPE_CHECKING:
    from mrbench.comparison.report import ComparisonReport

TEST_NAMES = ("exchange", "signed-rank", "resampled-t", "sign")
"""Those of ``mrbench.comparison.paired_tests``, which is imported only when something is compared."""


@click.command("compare")
@click.argument("runs", nargs=-1, metavar="[RUN[:METHOD]]...")
@click.option("--against", metavar="METHOD", help="The method that the others are compared with.")
@click.option("--each", is_flag=True, help="Compare within each run, not between them, and count all folds together.")
@click.option(
    "--test",
    type=click.Choice(list(TEST_NAMES)),
    default=TEST_NAMES[0],
    show_default=True,
    help="The test whose p is shown, corrected by Holm for all tests of the command.",
)
@click.option("--allow-mixed", is_flag=True, help="Show other data or splits side by side too, labelled and untested.")
@click.option("--ranks", is_flag=True, help="Show ranks with intervals, tie groups and critical differences instead.")
@click.option(
    "--blocks",
    type=click.Choice(["subjects", "folds"]),
    help="With --ranks: what a critical difference ranks methods in. [default: subjects]",
)
@click.option("--protocols", is_flag=True, help="Show what each scoring variant shifts, one at a time, instead.")
@click.option(
    "--samples",
    metavar="N,N,...",
    callback=read_budgets,
    help="With --protocols: sample counts to score the first samples of.",
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
    help="Also draw the intervals, or with --ranks the critical differences: .svg, .png or .pdf.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    runs: tuple[str, ...],
    against: str | None,
    each: bool,
    test: str,
    allow_mixed: bool,
    ranks: bool,
    blocks: Literal["subjects", "folds"] | None,
    protocols: bool,
    samples: tuple[int, ...],
    protocol: str | None,
    metrics: tuple[str, ...],
    plugin_files: tuple[Path, ...],
    out: Path,
    picture: Path | None,
    as_json: bool,
) -> None:
    """Print paired differences of methods, with intervals, corrected p-values and tie groups.

    An operand is a run (its id, its folder, or "last", the default) or one method of a run, RUN:METHOD. One run alone,
    three or more, or --against: all methods with one. Two runs: methods of equal names, or the one method of a side
    with all of the other. A difference is the second less the first, on the folds and cases that both have.

    \b
    mrbench compare last --against unet-majority
    mrbench compare RUN_A:proseg RUN_B:proseg
    mrbench compare --ranks last --picture ranks.svg
    mrbench compare --protocols last
    """
    given = {
        "a second run": len(runs) > 1,
        "--against": against,
        "--each": each,
        "--test": _was_given("test"),
        "--allow-mixed": allow_mixed,
        "--protocol": protocol,
        "--picture": picture,
        "--ranks": ranks,
        "--blocks": blocks,
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
    chosen = Comparing(runs or ("last",), against or "", each, test, allow_mixed, protocol or "strict", metrics, out)
    if ranks:
        _print_ranks(chosen, found, blocks or "subjects", picture, as_json)
    else:
        _print_differences(chosen, found, picture, as_json)


def _was_given(name: str) -> bool:
    source = click.get_current_context().get_parameter_source(name)
    return source is not click.core.ParameterSource.DEFAULT


def _check_together(given: Sequence[str], protocols: bool, samples: Sequence[int]) -> None:
    if protocols and given:
        raise UsageError(f"--protocols takes no {given[0].removeprefix('a ')}", expected=PROTOCOLS_USAGE)
    if samples and not protocols:
        raise UsageError("--samples goes with --protocols only", hint=f"{PROTOCOLS_USAGE} --samples 4,10")
    if "--blocks" in given and "--ranks" not in given:
        raise UsageError("--blocks goes with --ranks only", hint="mrbench compare --ranks RUN --blocks folds")
    for name in ("--against", "--each", "--allow-mixed"):
        if "--ranks" in given and name in given:
            raise UsageError(f"--ranks takes no {name}", expected="mrbench compare --ranks RUN...")


PROTOCOLS_USAGE = "mrbench compare --protocols RUN"


@dataclass(frozen=True)
class Comparing:
    """What is compared, as it was typed."""

    runs: Sequence[str]
    against: str
    each: bool
    test: str
    allow_mixed: bool
    protocol: str
    metrics: tuple[str, ...]
    out: Path


def _compared(chosen: Comparing, found: Registry, *, ranked: bool = False) -> "ComparisonReport":
    from mrbench.comparison.pairs import pair, pair_ranked
    from mrbench.comparison.report import ComparisonReport
    from mrbench.comparison.selection import parse_operand
    from mrbench.results.reader import ScoreReader

    operands = [parse_operand(run, chosen.out) for run in chosen.runs]
    pairing = pair_ranked(operands) if ranked else pair(operands, chosen.against, each=chosen.each)
    reader = ScoreReader(found, PROTOCOLS[chosen.protocol], chosen.metrics)
    return ComparisonReport.of(pairing, reader, chosen.test, allow_mixed=chosen.allow_mixed)


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


def _print_ranks(
    chosen: Comparing, found: Registry, blocks: Literal["subjects", "folds"], picture: Path | None, as_json: bool
) -> None:
    from mrbench.cli.rank_tables import print_ranks, ranks_json
    from mrbench.comparison.picture import draw_diagrams
    from mrbench.comparison.ranking import rank

    compared = _compared(chosen, found, ranked=True)
    rankings, diagrams = rank(compared.tables, compared.reader, blocks)
    tell_absent_files(compared.results, found)
    if as_json:
        click.echo(json.dumps(ranks_json(compared, rankings, diagrams), indent=1))
    else:
        print_ranks(compared, rankings, diagrams)
    if picture is not None:
        draw_diagrams(diagrams, picture)
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
