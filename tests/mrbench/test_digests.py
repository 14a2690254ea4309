"""Digests of values and arrays."""

import numpy as np

from mrbench.digests import digest_arrays, digest_json


def test_json_digests_ignore_the_order_of_keys():
    assert digest_json({"a": 1, "b": [2]}) == digest_json({"b": [2], "a": 1})
    assert digest_json({"a": 1}) != digest_json({"a": 2})


def test_array_digests_see_values_shapes_types_and_names_but_not_the_memory_layout():
    array = np.arange(6, dtype=np.int16).reshape(2, 3)
    same = digest_arrays([("x", array)])
    assert same == digest_arrays([("x", np.asfortranarray(array))])
    assert same == digest_arrays([("x", array.astype(">i2"))])
    others = [("y", array), ("x", array.T), ("x", array.astype(np.int32)), ("x", array + 1)]
    assert same not in {digest_arrays([other]) for other in others}
