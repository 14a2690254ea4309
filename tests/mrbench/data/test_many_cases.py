"""100,000 cases are written, verified, inspected, learnt from and scored in little memory.

Run: pytest --slow -s tests/mrbench/data/test_many_cases.py
It prints the peak memory and the time of each step, of all the processes that the step starts. MRBENCH_MANY sets
another number of cases.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

COUNT = int(os.environ.get("MRBENCH_MANY", "100000"))

MRBENCH = (sys.executable, "-m", "mrbench")
DATASET = ("many", "--plugin-file", "many.py", "--data", ".")
RUN = ("run", "--plugin-file", "many.py", "--data", ".", "--dataset", "many", "--out", "results")
STEPS = {
    # name: command, MiB at most
    "write": ((sys.executable, str(Path(__file__).with_name("many_cases.py")), ".", str(COUNT)), 400),
    "list": ((*MRBENCH, "data", "list", "--plugin-file", "many.py", "--data", "."), 400),
    "info": ((*MRBENCH, "data", "info", *DATASET), 400),
    "verify": ((*MRBENCH, "data", "verify", *DATASET), 400),
    "inspect": ((*MRBENCH, "data", "inspect", *DATASET, "--out", "sheet.png"), 400),
    # Slices of 75,000 cases would take 366 MiB: more than is allowed here, so that they are streamed.
    "train": (
        (*MRBENCH, *RUN, "--method", "unet-majority", "--preset", "quick", "--set", "unet-majority.epochs=1",
         "--fold", "0", "--limit", "100"),
        1200,
    ),
    "predict and score": ((*MRBENCH, *RUN, "--method", "majority-vote", "--split", "tests-most"), 800),
}  # fmt: skip


@pytest.mark.slow
def test_many_cases_take_little_memory(tmp_path):
    environment = os.environ | {"MRBENCH_MEMORY_MIB": "1", "OMP_NUM_THREADS": "1"}
    print(f"\n{COUNT:,} cases of 1 x 32 x 32 with 4 raters")
    for name, (command, most) in STEPS.items():
        start = time.perf_counter()
        with (tmp_path / "log.txt").open("w+") as log:
            process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            log.seek(0)
            text = log.read()
        assert process.returncode == 0, text[-3000:]
        peak = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
        cpu = usage.ru_utime + usage.ru_stime
        print(f"{name:20}{peak:8.0f} MiB{time.perf_counter() - start:8.0f} s, {cpu:.0f} s of CPU")
        assert peak < most, name
    print(f"container: {(tmp_path / 'many.h5').stat().st_size / 2**20:.0f} MiB")
