"""A record's module that is not light."""

import h5py  # noqa: F401

from mrbench import MethodCard, hookimpl

MRBENCH_API = "2"


@hookimpl
def mrbench_methods():
    return [MethodCard(name="heavy", code="bad_methods:Good", config="bad_config:BadConfig", summary="heavy")]
