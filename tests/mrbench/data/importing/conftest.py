import numpy as np
import pytest
from PIL import Image

RATERS = ("ann", "bo")


@pytest.fixture
def put(tmp_path):
    """Writes an array as a picture or a NumPy file, by the ending of its name, into the folder ``f``."""

    def write(name, values):
        path = tmp_path / "f" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".npy":
            np.save(path, values)
        elif path.suffix == ".npz":
            np.savez_compressed(path, mask=values)
        else:
            Image.fromarray(values).save(path)
        return path

    return write


@pytest.fixture
def folder(put, tmp_path):
    """Four cases of 8 x 9 pixels, two raters: case k of ann has k + 1 pixels, that of bo one more."""
    for k in range(4):
        put(f"images/c{k}.png", image(k))
        for r, rater in enumerate(RATERS):
            put(f"masks/{rater}/c{k}.png", mask(k + r + 1))
    return tmp_path / "f"


def image(k):
    return np.arange(72, dtype=np.uint8).reshape(8, 9) + np.uint8(10 * k)


def mask(n, label=255):
    values = np.zeros(72, np.uint8)
    values[:n] = label
    return values.reshape(8, 9)
