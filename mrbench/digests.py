"""SHA-256 digests of what a result depends on."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import numpy as np


def digest_json(value: Any) -> str:
    """Hex digest of a JSON value in canonical form (sorted keys, no spaces, no NaN)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def digest_arrays(parts: Iterable[tuple[str, np.ndarray | str]]) -> str:
    """Hex digest over named arrays or texts: name, type, shape and little-endian bytes; independent of any file."""
    state = hashlib.sha256()
    for name, part in parts:
        if isinstance(part, str):
            state.update(f"{name}|text|{len(part.encode())}|{part}\n".encode())
            continue
        array = np.ascontiguousarray(part, dtype=part.dtype.newbyteorder("<"))
        state.update(f"{name}|{array.dtype.str}|{array.shape}\n".encode())
        state.update(array.tobytes())
    return state.hexdigest()
