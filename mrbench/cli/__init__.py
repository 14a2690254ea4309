"""The command line. Each command is imported only when it is called."""

import os
import sys
from importlib import import_module

import click

from mrbench import __version__
from mrbench.cli.interruption import ended_by_signals
from mrbench.cli.streams import write_plainly
from mrbench.errors import MrbenchError
from mrbench.naming import pick, qualified
from mrbench.plugin_commands import callable_names, plugin_commands
from mrbench.visible import visible

COMMANDS = {
    "run": ("mrbench.cli.run", "Run methods on data sets and print a table."),
    "list": ("mrbench.cli.list", "List the methods, data sets, metrics and observers that are there."),
    "info": ("mrbench.cli.info", "Show what a method, data set, metric or model file says of itself."),
    "show": ("mrbench.cli.show", "Print the table of a run again."),
    "report": ("mrbench.cli.report", "Write one HTML page of tables, figures and cases that works offline."),
    "score": ("mrbench.cli.score", "Score a run's stored predictions again, under any scoring protocol."),
    "compare": (
        "mrbench.cli.compare",
        "Print differences of methods with intervals and verdicts, and what scoring variants shift.",
    ),
    "diagnose": ("mrbench.cli.diagnose", "Ask the weights of a run what their latents do."),
    "export": ("mrbench.cli.export", "Write a run's predictions as files that other programs open."),
    "predict": ("mrbench.cli.predict", "Apply a trained method to images of your own."),
    "export-model": ("mrbench.cli.export_model", "Write a run's trained method as one file that predicts elsewhere."),
    "repair": ("mrbench.cli.repair", "Check every file of a run; move what is damaged aside."),
    "du": ("mrbench.cli.du", "Say what takes how many bytes of a results folder."),
    "clean": ("mrbench.cli.clean", "Remove from a results folder what no run refers to."),
    "merge": ("mrbench.cli.merge", "Put results folders together, verified."),
    "data": ("mrbench.cli.data", "Prepare, verify and look at data sets."),
    "leaderboard": ("mrbench.cli.leaderboard", "Pack results, check them, and build tables and a site."),
    "agreement": ("mrbench.cli.agreement", "Measure how far the raters of a data set agree."),
    "check": ("mrbench.cli.check", "Check a method, fusion, data set or metric: what every plugin must do."),
    "new": ("mrbench.cli.new", "Write a method, data set or metric of your own, as a package or one file."),
    "doctor": ("mrbench.cli.doctor", "Say what is installed, what is set aside and why, for a bug report."),
}


class LazyGroup(click.Group):
    """Knows every command's name and one-line help without importing it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return [*COMMANDS, *callable_names(plugin_commands(), COMMANDS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            return import_module(COMMANDS[cmd_name][0]).command
        commands = plugin_commands()
        if any(cmd_name in (one.name, qualified(one)) for one in commands):
            return pick("command", cmd_name, commands).load()
        from difflib import get_close_matches

        near = get_close_matches(cmd_name, [*COMMANDS, *callable_names(commands, COMMANDS)], n=1)
        raise click.UsageError(f"no such command {cmd_name!r}" + (f"; did you mean {near[0]!r}?" if near else ""), ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])
        others = callable_names(plugin_commands(), COMMANDS)
        if others:
            with formatter.section("Commands of plugins"):
                formatter.write_dl([(name, f"of {one.distribution}") for name, one in others.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mrbench")
def group() -> None:
    """Benchmark methods for segmentation of images that several experts annotated.

    Research software: not a medical device, not for clinical use.

    \b
    mrbench run --method proseg --method unet-majority --dataset phantom --preset quick
    """


@group.result_callback()
def _forget(_value: object) -> None:
    """What a command returns is no exit code."""


def main() -> None:
    """Runs a command, whatever its output can hold and whatever signal ends it."""
    write_plainly()
    with ended_by_signals():
        _run()


def _run() -> None:
    """Runs a command; errors that a user can act on are printed without a traceback and own their exit code."""
    try:
        sys.exit(group.main(prog_name="mrbench", standalone_mode=False))
    except MrbenchError as error:
        click.echo(f"mrbench: {error.message}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read our output has enough of it
        sys.exit(141)
    except OSError as error:
        click.echo(visible(f"mrbench: {_in_words(error)}"), err=True)
        sys.exit(1)
    except MemoryError as error:
        short = MrbenchError("there is not enough memory for this", found=str(error))
        click.echo(f"mrbench: {short.message}", err=True)
        sys.exit(short.exit_code)
    except click.Abort:
        raise KeyboardInterrupt from None


def _in_words(error: OSError) -> str:
    from mrbench.engine.writing_faults import writing_error

    told = writing_error(error)
    return told.message if told else f"cannot use {error.filename or 'a file'}: {error.strerror or error}"
