"""The container: one HDF5 file that holds a whole data set, read in memory or streamed to identical cases.

Members (N cases, R raters, ``*spatial`` = H, W or D, H, W):

    /image, /mask                     (N, C, *spatial), (N, R, *spatial), a chunk per case, gzip 1
    /pixels/<index>/{image,mask}      instead, where cases differ in shape or type
    /case, /subject                   (N,) UTF-8 bytes
    /present                          (N, R) 0 or 1
    /slice, /spacing                  (N,) and (N, spatial axes) mm, NaN where unknown; optional
    /attribute/<name>                 (N, R), NaN where a rater gave none
    /split/<name>/fold<k>/<part>      indices of cases; part = train, validation, test
    /metadata                         JSON, a list of N objects; optional
    /valid/<index>                    (*spatial) 0 or 1, the pixels that count; only of cases with void ones

The root's attributes are the format and its version (2 where there is /valid, which versions of mrbench that only know
1 must not overlook), the name, the declarations as JSON and the content digest.
Reading trusts nothing: see :mod:`mrbench.data.hdf5`.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from pydantic import TypeAdapter, ValidationError

from mrbench.data.case import Case
from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.data.checks import check_columns, check_image, check_masks, check_splits, check_valid
from mrbench.data.description import Description, Unit
from mrbench.data.hdf5 import MAX_ARRAY_BYTES, GuardedFile
from mrbench.data.leftovers import remove_leftovers
from mrbench.data.pixel_writer import PixelWriter
from mrbench.data.splits import Fold, Split
from mrbench.errors import DataError, IncompatibleError, MrbenchError, UsageError
from mrbench.files import replaced

FORMAT = "mrbench container"
VERSION = 2
MAX_CASES = 10_000_000
MAX_RATERS = 4096
MAX_CLASSES = 256
MAX_NAMES = 1000
MAX_NAME_BYTES = 4096

_LIBVER = ("v110", "v110")
_PARTS = ("train", "validation", "test")
_HINT = "make it again: mrbench data prepare NAME --source PATH"

Mode = Literal["memory", "stream"]


def write_cases(
    path: Path,
    description: Description,
    cases: Iterable[Case],
    *,
    splits: Callable[[CaseSet], Mapping[str, Split]] | None = None,
) -> str:
    """Writes cases as they come, all or nothing, in the memory that one case takes; returns the content digest.

    The file appears under its name when it is complete, on disk and has been read back; on any failure, a full disk
    included, what stood there before stays. What a process that died left of an attempt is removed. The folder is
    made. Cases may differ in shape and type.

    Args:
        path: the container.
        description: the declarations.
        cases: their images as stored, not normalised; each is asked for once. Attributes have the same names in all.
        splits: called once all cases are written, with a case set that has every column and no pixels; for a size of
            each case, note it as the cases go by.

    Raises:
        DataError: a case that a container cannot hold; names it.
        MrbenchError: the file cannot be written.
    """
    columns = _Columns(description)

    def pixels() -> Iterator[_CasePixels]:
        for case in cases:
            columns.add(case)
            yield case.image, case.masks, case.valid

    def finished() -> CaseSet:
        found = columns.as_cases()
        check_columns(found)
        found = found if splits is None else replace(found, splits=splits(found))
        _check_writable(found)
        return found

    return _write(path, description, columns.ids, pixels(), finished)


def write_container(path: Path, cases: CaseSet) -> str:
    """:func:`write_cases` for a case set that is there; each image and mask is read once. Errors: those of it."""
    cases = _canonical(cases)
    _check_writable(cases)
    pixels = ((cases.pixels.image(i), cases.pixels.masks(i), cases.valid(i)) for i in range(len(cases)))
    return _write(path, cases.description, cases.ids, pixels, lambda: cases)


def open_container(path: Path, mode: Mode = "memory") -> CaseSet:
    """The cases of a container; both modes give identical cases.

    Args:
        path: the file.
        mode: ``memory`` reads all images and masks at once; ``stream`` reads each when it is asked for and keeps the
            file open. A streamed case set may be pickled and may cross a fork: each process opens the file itself.

    Raises:
        DataError: not a container, damaged, or not what it declares; names the file, and the case where it is one's.
        IncompatibleError: written by a later version.
    """
    if mode not in ("memory", "stream"):
        raise UsageError(f"unknown mode {mode!r} of {path}", expected="'memory' or 'stream'")
    with GuardedFile(path, hint=_HINT) as file:
        cases = _read_columns(file)
    pixels = StreamedPixels(path)
    cases = replace(cases, pixels=pixels)
    with _naming(f"{path}", _HINT):
        check_columns(cases)
        check_splits(cases)
    return cases if mode == "stream" else replace(cases, pixels=_loaded(pixels))


def verify_container(path: Path) -> str:
    """Recomputes the content digest by reading every case, and returns it.

    Raises:
        DataError: the content is not what the stored digest says, or cannot be read.
    """
    cases = open_container(path, "stream")
    found = cases.compute_digest()
    if found != cases.stored_digest:
        raise DataError(
            f"{path} has been changed since it was written",
            expected=f"content digest {cases.stored_digest}",
            found=found,
            hint=_HINT,
        )
    return found


class StreamedPixels:
    """Images and masks read case by case from a container, which stays open in the process that reads.

    A container that was replaced after it was opened is refused: its cases may be others.

    Args:
        path: the container.
        shown: the name for messages, where it is not ``path``.

    Attributes:
        stacked: do all cases agree in shape and type?
    """

    def __init__(self, path: Path, *, shown: Path | None = None) -> None:
        # A process that opens the file again may work in another folder.
        self._path, self._shown = path.absolute(), shown or path
        self._identity = _identity(path)
        self._file: GuardedFile | None = None
        self._process = 0
        self._stacks: dict[str, h5py.Dataset] = {}
        self._open()

    def __len__(self) -> int:
        return self._n

    def image(self, index: int) -> np.ndarray:
        """``(C, *spatial)`` in the stored type."""
        with self._naming(index):
            image = self._read("image", index)
            check_image(image, self._description, "it")
        return image

    def masks(self, index: int) -> np.ndarray:
        """``(R, *spatial)`` uint8."""
        with self._naming(index):
            masks = self._read("mask", index)
            check_masks(masks, self._array("image", index).shape[-self._axes :], self._description, "it")
        return masks.astype(np.uint8, copy=False)

    def valid(self, index: int) -> np.ndarray | None:
        """``(*spatial)`` bool, the pixels that count; None where all do."""
        name, file = f"valid/{index % self._n}", self._open()
        if name not in file:
            return None
        with self._naming(index):
            array = file.chunked(name, kinds="u", shape=self._array("mask", index).shape[-self._axes :], chunk=())
            return file.read_chunk(array, (0,) * array.ndim, array.shape) > 0

    def layout(self, index: int) -> tuple[tuple[int, ...], np.dtype]:
        """``(C, *spatial)`` and stored type of an image, which is not read."""
        with self._naming(index):
            array = self._array("image", index)
        return array.shape[1:] if self.stacked else array.shape, array.dtype

    def close(self) -> None:
        """Closes the file; the next read opens it again."""
        if self._file is not None and self._process == os.getpid():
            self._file.close()
        self._file, self._stacks = None, {}

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_file": None, "_stacks": {}}

    def _open(self) -> GuardedFile:
        if self._file is not None and self._process == os.getpid():
            return self._file
        if _identity(self._path) != self._identity:
            raise DataError(f"{self._shown} was replaced while it was in use", hint="start the command again")
        file = GuardedFile(self._path, hint=_HINT, shown=self._shown)
        self._file, self._process, self._stacks = file, os.getpid(), {}
        self._description = _read_description(file)
        self._n = _count(file)
        self.stacked = "pixels" not in file
        self._check_arrays()
        return file

    def _check_arrays(self) -> None:
        for index in range(1 if self.stacked else self._n):
            image, mask = self._array("image", index), self._array("mask", index)
            if image.shape[-self._axes :] != mask.shape[-self._axes :]:
                raise self._open().fault(
                    f"has images and masks of different shapes in {image.name} and {mask.name}",
                    expected=str(image.shape[-self._axes :]),
                    found=str(mask.shape[-self._axes :]),
                )

    @property
    def _axes(self) -> int:
        return _spatial_axes(self._description)

    def _array(self, name: str, index: int) -> h5py.Dataset:
        leading = len(self._description.channels) if name == "image" else self._description.n_raters
        shape = (leading, *(None,) * self._axes)
        kinds, file = "uif" if name == "image" else "ui", self._open()
        if self.stacked:
            # Kept open: of cases on their own it would be thousands.
            if name not in self._stacks:
                self._stacks[name] = file.chunked(name, kinds=kinds, shape=(self._n, *shape), chunk=(1,))
            return self._stacks[name]
        return file.chunked(f"pixels/{index}/{name}", kinds=kinds, shape=shape, chunk=())

    def _read(self, name: str, index: int) -> np.ndarray:
        if not -self._n <= index < self._n:
            raise IndexError(index)
        index %= self._n
        file, array = self._open(), self._array(name, index)
        shape = array.shape[1:] if self.stacked else array.shape
        at = (index if self.stacked else 0, *(0,) * (array.ndim - 1))
        return file.read_chunk(array, at, shape)

    def _naming(self, index: int) -> AbstractContextManager[None]:
        return _naming(f"case {index} of {self._shown}", _HINT)


@contextmanager
def _naming(what: str, hint: str) -> Iterator[None]:
    try:
        yield
    except DataError as error:
        raise DataError(f"{what}: {error.what}", expected=error.expected, found=error.found, hint=hint) from error


def _identity(path: Path) -> tuple[int, int, int] | None:
    if not path.is_file():
        return None
    state = path.stat()
    return state.st_ino, state.st_size, state.st_mtime_ns


def _loaded(pixels: StreamedPixels) -> ArrayPixels:
    try:
        valid = [pixels.valid(index) for index in range(len(pixels))]
        every = valid if any(one is not None for one in valid) else None
        return ArrayPixels(_gathered(pixels.image, pixels), _gathered(pixels.masks, pixels), every)
    except MemoryError as error:
        raise DataError(
            "the data set does not fit into memory",
            found=str(error),
            hint="read it streamed: open_container(path, 'stream')",
        ) from error
    finally:
        pixels.close()


def _gathered(read: Callable[[int], np.ndarray], pixels: StreamedPixels) -> np.ndarray | list[np.ndarray]:
    if not pixels.stacked:
        return [read(i) for i in range(len(pixels))]
    first = read(0)
    stack = np.empty((len(pixels), *first.shape), first.dtype)
    for index in range(len(pixels)):
        stack[index] = read(index)
    return stack


# --- writing

_CasePixels = tuple[np.ndarray, np.ndarray, np.ndarray | None]
"""Image, masks, and the pixels that count."""


def _write(
    path: Path,
    description: Description,
    ids: Sequence[str],
    pixels: Iterable[_CasePixels],
    columns: Callable[[], CaseSet],
) -> str:
    # `ids` may grow while `pixels` are read; `columns` is asked for at the end.
    with _replacing(path) as temporary:
        # From this version on HDF5 keeps checksums of its own structures: damage is an error, not a crash.
        with h5py.File(temporary, "x", libver=_LIBVER) as file:
            writer = PixelWriter(file)
            for image, masks, valid in pixels:
                where = f"case {ids[writer.n]!r} of data set {description.name!r}"
                _check_case(image, masks, description, where)
                check_valid(valid, masks, where)
                writer.add(image, masks.astype(np.uint8, copy=False), valid)
            writer.finish()
            cases = columns()
            _write_attributes(file, cases)
            _write_columns(file, cases)
            _write_splits(file, cases.splits)
        # The digest begins with the columns, which are known at the end: what was written is read for it.
        with closing(StreamedPixels(temporary, shown=path)) as stored:
            digest = replace(cases, pixels=stored, stored_digest=None).compute_digest()
        with h5py.File(temporary, "r+", libver=_LIBVER) as file:
            file.attrs["digest"] = np.bytes_(digest.encode())
    return digest


def _check_case(image: np.ndarray, masks: np.ndarray, description: Description, where: str) -> None:
    check_image(image, description, where)
    check_masks(masks, image.shape[1:], description, where)
    if image.size == 0:
        raise DataError(f"{where} has no image, which a container cannot hold", expected="at least one channel")
    largest = max(image.nbytes, masks.nbytes)
    if largest > MAX_ARRAY_BYTES:
        raise DataError(
            f"{where} is too large",
            expected=f"at most {MAX_ARRAY_BYTES} bytes of image or masks",
            found=f"{largest} bytes",
        )


def _check_writable(cases: CaseSet) -> None:
    check_columns(cases)
    check_splits(cases)
    _check_names(cases)


class _Columns:
    """All of the cases but their pixels, gathered as they go by."""

    def __init__(self, description: Description) -> None:
        self.description = description
        self.ids: list[str] = []
        self._cases: list[Case] = []

    def add(self, case: Case) -> None:
        where = f"case {case.id!r} of data set {self.description.name!r}"
        _check_text(case.id)
        _check_text(case.subject)
        self._check_rows(case, where)
        if self._cases:
            _check_like(case, self._cases[0], where)
        nothing = np.empty(0)
        self.ids.append(str(case.id))
        self._cases.append(replace(case, image=nothing, masks=nothing, valid=None))

    def _check_rows(self, case: Case, where: str) -> None:
        raters = (self.description.n_raters,)
        rows = {"present": case.present} | {f"attribute {name!r}": row for name, row in case.attributes.items()}
        for name, row in rows.items():
            found = np.shape(row)
            if found != raters:
                raise DataError(f"{where} has a wrong shape of {name}", expected=f"(R,) = {raters}", found=f"{found}")

    def as_cases(self) -> CaseSet:
        """Without pixels and splits."""
        cases = self._cases
        known = [case for case in cases if case.spacing is not None]
        names = cases[0].attributes if cases else ()
        return _canonical(
            CaseSet(
                description=self.description,
                pixels=_Counted(len(cases)),
                ids=tuple(self.ids),
                subjects=tuple(case.subject for case in cases),
                present=np.array([case.present for case in cases], bool).reshape(-1, self.description.n_raters),
                slices=tuple(case.slice for case in cases if case.slice is not None) or None,
                spacings=tuple(case.spacing for case in cases) if known else None,
                attributes={name: np.array([case.attributes[name] for case in cases]) for name in names},
                metadata=tuple(case.metadata for case in cases) if any(case.metadata for case in cases) else None,
            )
        )


def _check_like(case: Case, first: Case, where: str) -> None:
    if case.attributes.keys() != first.attributes.keys():
        raise DataError(
            f"{where} has other attributes than the first case",
            expected=", ".join(first.attributes) or "none",
            found=", ".join(case.attributes) or "none",
        )
    if (case.slice is None) != (first.slice is None):
        raise DataError(f"{where} differs from the first case", expected="a slice number in all cases or in none")


def _canonical(cases: CaseSet) -> CaseSet:
    # What a container gives back, so that a digest is the same before writing and after reading.
    return replace(
        cases,
        ids=tuple(str(name) for name in cases.ids),
        subjects=tuple(str(name) for name in cases.subjects),
        slices=tuple(int(number) for number in cases.slices) if cases.slices else None,
        spacings=tuple(tuple(map(float, s)) if s else None for s in cases.spacings) if cases.spacings else None,
        attributes={name: np.asarray(values, np.float64) for name, values in cases.attributes.items()},
    )


def _check_names(cases: CaseSet) -> None:
    for text in (*cases.ids, *cases.subjects):
        _check_text(text)
    for text in (*cases.attributes, *cases.splits):
        if text in ("", ".", "..") or "/" in text or not _is_plain(text):
            raise DataError(f"{text!r} cannot name an attribute or split", expected="a name without '/'")


def _check_text(text: str) -> None:
    if not 0 < len(str(text).encode("utf-8", "replace")) <= MAX_NAME_BYTES or not _is_plain(text):
        raise DataError(
            f"{text[:80]!r} cannot name a case or subject", expected=f"1 to {MAX_NAME_BYTES} bytes of UTF-8, no NUL"
        )


def _is_plain(text: str) -> bool:
    # A lone half of a surrogate pair has no UTF-8; HDF5's names and fixed texts end at the first NUL.
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A name beside ``path`` to write to, renamed to it at the end and removed on any failure, which is explained."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path)
        with replaced(path) as temporary:
            yield temporary
    except MrbenchError:
        raise
    except (OSError, RuntimeError) as error:
        raise MrbenchError(
            f"{path} could not be written",
            expected="a folder that can be written to, with room for the data set",
            found=f"{type(error).__name__}: {error}",
            hint=f"free space in {path.parent}, or choose another folder with $MRBENCH_DATA",
        ) from error


def _write_attributes(file: h5py.File, cases: CaseSet) -> None:
    description = json.dumps(cases.description.as_json(), allow_nan=False)
    texts = {"format": FORMAT, "name": cases.description.name, "description": description}
    for name, text in texts.items():
        file.attrs[name] = np.bytes_(text.encode())
    file.attrs["format_version"] = VERSION if "valid" in file else 1


def _write_columns(file: h5py.File, cases: CaseSet) -> None:
    file["case"] = _as_bytes(cases.ids)
    file["subject"] = _as_bytes(cases.subjects)
    file["present"] = cases.present.astype(np.uint8)
    if cases.slices:
        file["slice"] = np.array(cases.slices, np.int64)
    if cases.spacings:
        unknown = (np.nan,) * _spatial_axes(cases.description)
        file["spacing"] = np.array([spacing or unknown for spacing in cases.spacings], np.float64)
    for name, values in cases.attributes.items():
        file[f"attribute/{name}"] = values
    if cases.metadata:
        file["metadata"] = np.frombuffer(_as_json(cases.metadata, cases.ids), np.uint8)


def _write_splits(file: h5py.File, splits: Mapping[str, Split]) -> None:
    for name, split in splits.items():
        for k, fold in enumerate(split.folds):
            for part, indices in fold.parts().items():
                file[f"split/{name}/fold{k}/{part}"] = np.asarray(indices, np.int64)


def _as_bytes(names: Sequence[str]) -> np.ndarray:
    return np.array([name.encode() for name in names])


def _as_json(metadata: Sequence[Mapping[str, Any]], ids: Sequence[str]) -> bytes:
    texts = []
    for case_id, values in zip(ids, metadata, strict=True):
        try:
            texts.append(json.dumps(dict(values), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise DataError(f"case {case_id!r} has metadata that are not JSON", found=str(error)) from error
    return f"[{','.join(texts)}]".encode()


# --- reading


@dataclass(frozen=True)
class _Counted:
    """Pixels of which nothing is known but the number of cases."""

    n: int

    def __len__(self) -> int:
        return self.n

    def image(self, index: int) -> np.ndarray:
        raise IndexError(index)

    masks = image


def _spatial_axes(description: Description) -> int:
    return 3 if description.unit is Unit.VOLUME else 2


def _read_columns(file: GuardedFile) -> CaseSet:
    description, n = _read_description(file), _count(file)
    return CaseSet(
        description=description,
        pixels=_Counted(n),
        ids=_read_names(file, "case", n, unique=True),
        subjects=_read_names(file, "subject", n),
        present=_read_present(file, n, description.n_raters),
        splits=_read_splits(file, n),
        slices=_read_slices(file, n),
        spacings=_read_spacings(file, n, _spatial_axes(description)),
        attributes=_read_attributes(file, n, description.n_raters),
        metadata=_read_metadata(file, n),
        stored_digest=_read_digest(file),
    )


def _check_format(file: GuardedFile) -> None:
    found = file.attribute("format")
    if not isinstance(found, str) or found != FORMAT:
        raise file.fault("is not a container of mrbench", expected=f"attribute format = {FORMAT!r}", found=repr(found))
    version = file.attribute("format_version")
    if isinstance(version, np.integer) and version > VERSION:
        raise IncompatibleError(
            f"{file.shown} was written by a later version of mrbench",
            expected=f"format version {VERSION}",
            found=f"{version}",
            hint="pip install --upgrade mrbench",
        )
    if not isinstance(version, np.integer) or not 1 <= version <= VERSION:
        raise file.fault("has an unknown format version", expected=f"1 or {VERSION}", found=repr(version))


def _read_description(file: GuardedFile) -> Description:
    _check_format(file)
    text = file.attribute("description")
    try:
        unknown = set(json.loads(text)) - {field.name for field in fields(Description)}
        with _naming(f"{file.shown}", _HINT):
            description = TypeAdapter(Description).validate_json(text, strict=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise file.fault("has wrong declarations", found=_first_line(error)) from error
    if unknown:
        raise file.fault("has unknown declarations", found=", ".join(sorted(unknown))[:200])
    if description.n_classes > MAX_CLASSES or description.n_raters > MAX_RATERS:
        raise file.fault(
            "declares too much",
            expected=f"at most {MAX_CLASSES} classes and {MAX_RATERS} raters",
            found=f"{description.n_classes} and {description.n_raters}",
        )
    if file.attribute("name") != description.name:
        raise file.fault("has two names", expected=repr(description.name), found=repr(file.attribute("name")))
    return description


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)[:200]


def _read_digest(file: GuardedFile) -> str:
    digest = file.attribute("digest")
    if not isinstance(digest, str) or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise file.fault("has no content digest", expected="64 hexadecimal digits", found=repr(digest)[:80])
    return digest


def _count(file: GuardedFile) -> int:
    n = int(file.array("case", kinds="S", shape=(None,)).shape[0])
    if not 0 < n <= MAX_CASES:
        raise file.fault("declares a wrong number of cases", expected=f"1 to {MAX_CASES}", found=f"{n}")
    return n


def _read_names(file: GuardedFile, path: str, n: int, *, unique: bool = False) -> tuple[str, ...]:
    values = file.read(path, kinds="S", shape=(n,))
    if values.dtype.itemsize > MAX_NAME_BYTES:
        raise file.fault(f"has too long names in /{path}", expected=f"at most {MAX_NAME_BYTES} bytes")
    with file.reading(f"has names in /{path} that are not UTF-8"):
        names = tuple(value.decode() for value in values.tolist())
    if not all(names) or (unique and len(set(names)) < n):
        raise file.fault(f"has empty or repeated names in /{path}", expected="a unique name per case")
    return names


def _read_present(file: GuardedFile, n: int, raters: int) -> np.ndarray:
    present = file.read("present", kinds="ui", shape=(n, raters))
    if present.min() < 0 or present.max() > 1:
        raise file.fault("has a wrong value in /present", expected="0 or 1", found=f"{present.max()}")
    return present.astype(bool)


def _read_slices(file: GuardedFile, n: int) -> tuple[int, ...] | None:
    return tuple(file.read("slice", kinds="ui", shape=(n,)).tolist()) if "slice" in file else None


def _read_spacings(file: GuardedFile, n: int, axes: int) -> tuple[tuple[float, ...] | None, ...] | None:
    if "spacing" not in file:
        return None
    values = file.read("spacing", kinds="f", shape=(n, axes)).astype(np.float64)
    unknown = np.asarray(np.isnan(values).all(axis=1))
    if not (np.isfinite(values[~unknown]) & (values[~unknown] > 0)).all():
        raise file.fault("has a wrong value in /spacing", expected="mm above 0, or NaN on every axis")
    return tuple(None if u else tuple(row) for u, row in zip(unknown.tolist(), values.tolist(), strict=True))


def _read_attributes(file: GuardedFile, n: int, raters: int) -> dict[str, np.ndarray]:
    names = file.names("attribute", limit=MAX_NAMES)
    return {
        name: file.read(f"attribute/{name}", kinds="f", shape=(n, raters)).astype(np.float64, copy=False)
        for name in names
    }


def _read_splits(file: GuardedFile, n: int) -> dict[str, Split]:
    return {name: _read_split(file, name, n) for name in file.names("split", limit=MAX_NAMES)}


def _read_split(file: GuardedFile, name: str, n: int) -> Split:
    found = file.names(f"split/{name}", limit=MAX_NAMES)
    expected = [f"fold{k}" for k in range(len(found))]
    if not found or set(found) != set(expected):
        raise file.fault(f"has wrong folds in /split/{name}", expected="fold0, fold1, ...", found=", ".join(found[:20]))
    return Split(name, tuple(_read_fold(file, f"split/{name}/{fold}", n) for fold in expected))


def _read_fold(file: GuardedFile, path: str, n: int) -> Fold:
    return Fold(**{part: _read_indices(file, f"{path}/{part}", n) for part in _PARTS})


def _read_indices(file: GuardedFile, path: str, n: int) -> np.ndarray:
    indices = file.read(path, kinds="ui", shape=(None,)).astype(np.int64)
    if len(indices) and not 0 <= indices.min() <= indices.max() < n:
        raise file.fault(f"names cases outside the data set in /{path}", expected=f"0..{n - 1}")
    return indices


def _read_metadata(file: GuardedFile, n: int) -> tuple[Mapping[str, Any], ...] | None:
    if "metadata" not in file:
        return None
    text = file.read("metadata", kinds="u", shape=(None,)).tobytes()
    try:
        metadata = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise file.fault("has metadata that are not JSON", found=str(error)[:200]) from error
    if not isinstance(metadata, list) or len(metadata) != n or not all(isinstance(m, dict) for m in metadata):
        raise file.fault("has wrong metadata", expected=f"a list of {n} objects")
    return tuple(metadata)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
