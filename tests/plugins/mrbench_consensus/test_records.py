import subprocess
import sys
from inspect import signature

import pytest

import mrbench_consensus
from mrbench import Capability, Config, MethodCard
from mrbench.cards import load_attribute
from mrbench.interfaces.fusion import ASKED

RECORDS = {record.name: record for record in mrbench_consensus.mrbench_methods()}


def test_the_six_human_reference_rows_are_there():
    assert set(RECORDS) == {"majority-vote", "staple", "leave-one-out", "random-rater", "oracle-raters", "level-sets"}


@pytest.mark.parametrize("record", RECORDS.values(), ids=str)
def test_every_row_is_a_fusion_that_says_it_sees_the_test_masks(record: MethodCard):
    assert record.kind == "fusion"
    assert Capability.SEES_TEST_MASKS in record.capabilities
    assert tuple(signature(record.load()).parameters)[:4] == ASKED
    assert issubclass(load_attribute(record.config), Config)


def test_only_level_sets_leave_more_classes_out():
    assert {n for n, r in RECORDS.items() if Capability.MULTI_CLASS not in r.capabilities} == {"level-sets"}


def test_importing_the_plugin_loads_no_numpy():
    code = (
        "import sys, mrbench_consensus as m; m.mrbench_methods(); print({'numpy', 'torch', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_importing_the_configuration_loads_no_numpy():
    code = "import sys, mrbench_consensus.config; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
