"""A record's module that is not light."""

import h5py  # noqa: F401

from mrbench import MethodRecord, hookimpl

MRBENCH_API = "1"


@hookimpl
def mrbench_methods():
    return [MethodRecord(name="heavy", factory="bad_methods:Good", config="bad_config:BadConfig", summary="heavy")]
