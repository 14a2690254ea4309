"""Images and masks on their way into a container, case by case, whatever their sizes."""

from zlib import compress

import h5py
import numpy as np

GROWTH = 1024
"""Cases by which a stack grows at a time; its end is cut off."""

_GZIP = {"compression": "gzip", "compression_opts": 1}

Layout = tuple[tuple[int, ...], np.dtype]
"""Shape and type of an array."""


class PixelWriter:
    """Writes ``/image`` and ``/mask`` while all cases are alike, and ``/pixels/<index>`` from the first that is not.

    What has been written as a stack is then moved as it is, without being unpacked. One case is held at a time.

    Args:
        file: open for writing.
    """

    def __init__(self, file: h5py.File) -> None:
        self.n = 0
        self._file = file
        self._alike: tuple[Layout, Layout] | None = None
        self._stacks: dict[str, h5py.Dataset] = {}

    def add(self, image: np.ndarray, masks: np.ndarray, valid: np.ndarray | None = None) -> None:
        """The next case: ``(C, *spatial)``, ``(R, *spatial)`` uint8, and maybe ``(*spatial)`` bool."""
        arrays = {"image": _native(image), "mask": masks}
        layout = _layout(arrays["image"]), _layout(masks)
        if self.n == 0:
            self._alike = layout
            self._stacks = {name: self._stack(name, array) for name, array in arrays.items()}
        elif self._stacks and layout != self._alike:
            self._unstack()
        for name, array in arrays.items():
            self._put(name, self.n, array.shape, array.dtype, compress(array.tobytes(), 1))
        if valid is not None and not valid.all():
            self._file.create_dataset(f"valid/{self.n}", data=valid.astype(np.uint8), chunks=valid.shape, **_GZIP)
        self.n += 1

    def finish(self) -> None:
        """Cuts the stacks to the number of cases."""
        for stack in self._stacks.values():
            stack.resize(self.n, axis=0)

    def _stack(self, name: str, first: np.ndarray) -> h5py.Dataset:
        shape, most = (GROWTH, *first.shape), (None, *first.shape)
        return self._file.create_dataset(name, shape, first.dtype, chunks=(1, *first.shape), maxshape=most, **_GZIP)

    def _put(self, name: str, index: int, shape: tuple[int, ...], dtype: np.dtype, packed: bytes) -> None:
        if name in self._stacks:
            stack = self._stacks[name]
            if index == len(stack):
                stack.resize(index + GROWTH, axis=0)
            stack.id.write_direct_chunk((index, *(0,) * len(shape)), packed)
            return
        alone = self._file.create_dataset(f"pixels/{index}/{name}", shape, dtype, chunks=shape, **_GZIP)
        alone.id.write_direct_chunk((0,) * len(shape), packed)

    def _unstack(self) -> None:
        stacks, self._stacks = self._stacks, {}
        for name, stack in stacks.items():
            for index in range(self.n):
                _, packed = stack.id.read_direct_chunk((index, *(0,) * (stack.ndim - 1)))
                self._put(name, index, stack.shape[1:], stack.dtype, packed)
            del self._file[name]


def _native(array: np.ndarray) -> np.ndarray:
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _layout(array: np.ndarray) -> Layout:
    return array.shape, array.dtype
