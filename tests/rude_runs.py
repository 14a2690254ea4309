"""A fusion in a plugin file that misbehaves in one way at a time, and runs of it in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PLUGIN = '''
"""The majority vote, after something rude."""

import ctypes, os, signal, subprocess, sys, threading, time
from pathlib import Path

import numpy as np

import mrbench
from mrbench import Config, Trial
from mrbench.configuration import option
from mrbench.consensus import majority_vote
from mrbench.errors import MrbenchError

MRBENCH_API = "2"


class Options(Config):
    act: str = option("nothing", "what to do at the first case")
    size: int = option(0, "of a message")

    def check(self, description):
        if self.act == "build":
            message(self.size)


def text(size):
    return "m\\n" * (size // 4) + "x" * (size // 2)


def message(size):
    raise ValueError(text(size))


def ours(size):
    raise MrbenchError(text(size), expected=text(size), found=text(size))


def unsaid(size):
    print(text(size))
    raise ValueError(text(size).replace("\\n", " "))


def exit_75():
    os._exit(75)


def fork():
    if os.fork() == 0:
        time.sleep(600)


def orphan():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)


def thread():
    threading.Thread(target=time.sleep, args=(600,), name="mill").start()


def patch():
    np.mean = lambda *a, **k: np.float64(0.25)


def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hang()


def hang():
    Path("pids").write_text(str(os.getpid()))
    while True:
        time.sleep(1)


def event():
    for number in range(3, 64):
        try:
            if os.readlink(f"/proc/self/fd/{number}").startswith("pipe:"):
                os.write(number, b"x" * 3_000_000 + b"\\n")
        except OSError:
            pass


DONE = []


@mrbench.fusion("rude", gives="consensus", config=Options)
def fuse(masks, present, n, noise, config):
    if not DONE:
        DONE.append(config.act)
        own = [config.size] if config.size else []
        dict(globals(), nothing=lambda: None)[config.act](*own)
    return Trial(consensus=majority_vote(masks[present], 2))
'''

PHANTOM = ("--dataset", "phantom", "--set", "phantom.subjects=9", "--set", "phantom.size=32")


def command(folder: Path, act: str, *more: str) -> list[str]:
    """The command line of a run in which the fusion does something."""
    (folder / "rude.py").write_text(PLUGIN)
    own = ("--plugin-file", "rude.py", "--method", "rude", "--set", f"rude.act={act}", *PHANTOM, "--fold", "0")
    return [sys.executable, "-m", "mrbench", "run", *own, "--out", "out", "--json", *more]


def environment() -> dict[str, str]:
    """Of a process that is to find the plugins that this one finds."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def run(folder: Path, act: str, *more: str, seconds: float = 120) -> tuple[dict[str, Any], subprocess.CompletedProcess]:
    """The one cell of such a run, and how the process ended."""
    done = subprocess.run(
        command(folder, act, *more), cwd=folder, env=environment(), capture_output=True, text=True, timeout=seconds,
        check=False,
    )  # fmt: skip
    return json.loads(done.stdout)["cells"][0], done
