"""A record's module that takes its time."""

import time

from mrbench import MethodCard, hookimpl

MRBENCH_API = "2"
time.sleep(0.15)


@hookimpl
def mrbench_methods():
    return [MethodCard(name="slow", code="bad_methods:Good", config="bad_config:BadConfig", summary="slow")]
