"""Seeds derived by hashing, so that adding a method or a case never changes another's draws."""

import hashlib

import numpy as np


def derive_seed(*axes: str | int) -> int:
    """A 63-bit seed that depends on every axis and on their order, e.g. (base seed, dataset, fold, purpose)."""
    text = "\x1f".join(f"{type(axis).__name__}:{axis}" for axis in axes)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 1


def derive_noise(*axes: str | int) -> "np.random.Generator":
    """A generator seeded by :func:`derive_seed`."""
    return np.random.Generator(np.random.PCG64(derive_seed(*axes)))
