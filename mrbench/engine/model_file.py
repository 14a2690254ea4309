"""A trained method in one file: its weights as plain numbers and all that says what they are. No code, no pickles.

A ZIP archive whose members are stored as they are, not packed, so that what a file declares it also has to hold:

* ``model.json``: what is in it, with a seal, and size and SHA-256 of the other members;
* ``card.md``: the same for people;
* ``weights-0.bin`` and so on, one for each training: the bytes of its tensors one after the other, little-endian.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError  # noqa: N812

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from mrbench.data.archive import open_member
from mrbench.data.description import Description
from mrbench.digests import digest_json
from mrbench.engine.cell import CellSpec
from mrbench.engine.manifest import SEAL
from mrbench.errors import DataError, IncompatibleError, PluginError
from mrbench.files import parse_json, replaced

if TYPE_CHECKING:
    import torch

    from mrbench.interfaces.method import Method

MODEL_FORMAT = 1
"""Version of what such a file looks like."""

FACTS, CARD = "model.json", "card.md"

MAX_BYTES = {FACTS: 2**22, CARD: 2**18}
"""Of members that are texts; one of weights is as large as its tensors."""

DTYPES = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int64": 8, "int32": 4, "int16": 2, "int8": 1, "uint8": 1,
    "bool": 1,
}  # fmt: skip
"""Types of tensors by torch's names, with the bytes of an element."""

ANEW = "mrbench export-model writes it anew; or ask whom it came from"

Axis = Annotated[int, Field(strict=True, ge=0, lt=2**48)]


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class TensorForm:
    """One tensor of a state dictionary, as its file declares it and as a network needs it."""

    name: Annotated[str, Field(max_length=1000)]
    dtype: str
    shape: Annotated[tuple[Axis, ...], Field(max_length=16)]

    @property
    def bytes(self) -> int:
        """That it takes."""
        return DTYPES.get(self.dtype, 0) * math.prod(self.shape)

    def __str__(self) -> str:
        return f"{self.name} {self.dtype} {'x'.join(map(str, self.shape)) or 'scalar'}"


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class _Member:
    bytes: Annotated[int, Field(strict=True, ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class CodeFacts:
    """The code of the cell's method as its record has it: its modules, digests by file, and commits."""

    modules: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    commits: dict[str, str] = field(default_factory=dict)


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What a model file says of its model.

    Attributes:
        name: of the training, ``RUN:DATASET:METHOD:FOLD:SEED``.
        spec: of the cell that it comes from, without folders of the machine.
        description: what the data set declares.
        seen: sizes and spacings of the images that training has seen; None where they were not known.
        plugins: distribution and version of each method that is needed, by its key.
        code: of the method, for messages; the digests that count are in ``spec``.
        method: summary, citation and licence as the method's card has them.
        metrics: of the cell's record, on the test cases of its fold.
        written: when that record was.
    """

    name: Annotated[str, Field(max_length=1000)]
    spec: dict[str, Any]
    description: dict[str, Any]
    seen: dict[str, Any] | None
    plugins: dict[str, str]
    code: CodeFacts
    method: dict[str, str]
    metrics: dict[str, float] = field(default_factory=dict)
    written: str = ""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class _Document:
    """Everything in ``model.json`` but its format and its seal."""

    model: ModelFacts
    tensors: list[list[TensorForm]]
    files: dict[str, _Member]


def write_model_file(path: Path, facts: ModelFacts, card: str, weights: Sequence[Mapping[str, "torch.Tensor"]]) -> None:
    """Writes a model file, whole or not at all; the same model gives the same bytes.

    Args:
        weights: of each training, tensors by their names in its method's state dictionary.
    """
    parts = {_weights_name(number): _joined(state) for number, state in enumerate(weights)}
    parts = {CARD: card.encode(), **parts}
    document = _Document(
        model=facts,
        tensors=[forms_of(state) for state in weights],
        files={name: _Member(len(part), hashlib.sha256(part).hexdigest()) for name, part in parts.items()},
    )
    with replaced(path) as temporary, ZipFile(temporary, "w") as archive:
        for name, part in {FACTS: _sealed({"format": MODEL_FORMAT, **asdict(document)}), **parts}.items():
            archive.writestr(ZipInfo(name), part)  # of no date


def _sealed(content: Mapping[str, Any]) -> bytes:
    plain = json.loads(json.dumps(content, allow_nan=False))  # as it will be read
    return json.dumps(plain | {SEAL: digest_json(plain)}, indent=1).encode()


def weights_of(method: "Method[Any]") -> "dict[str, torch.Tensor]":
    """All that a trained method keeps: the tensors of its state dictionary.

    Raises:
        PluginError: it keeps more than that, which no model file holds.
    """
    import torch

    from mrbench.interfaces.method import Method

    own, state = type(method), method.state_dict()
    odd = next((name for name, one in state.items() if not isinstance(one, torch.Tensor)), "")
    if (own.save, own.load) == (Method.save, Method.load) and not odd:
        return dict(state)
    raise PluginError(
        f"{own.__name__} keeps more than the tensors of its state dictionary, so that it cannot be exported",
        expected="tensors alone, which mrbench.Method saves and loads",
        found=f"{odd} is no tensor" if odd else "it saves or loads in a way of its own",
    )


def forms_of(state: Mapping[str, "torch.Tensor"]) -> list[TensorForm]:
    """The forms of the tensors of a state dictionary."""
    return [TensorForm(name, str(one.dtype).removeprefix("torch."), tuple(one.shape)) for name, one in state.items()]


def _joined(state: Mapping[str, "torch.Tensor"]) -> bytes:
    import torch

    flat = (one.detach().cpu().contiguous().reshape(-1).view(torch.uint8) for one in state.values())
    return b"".join(one.numpy().tobytes() for one in flat)


def _weights_name(number: int) -> str:
    return f"weights-{number}.bin"


@dataclass(frozen=True, eq=False)
class ModelFile:
    """A model file whose texts were read and are what was written; its weights are looked at when they are asked for.

    Attributes:
        facts: what it says of its model.
        card: the same for people; hidden characters are as they stand there.
        tensors: forms of each training's weights.
        files: size and digest of each member.
    """

    path: Path
    facts: ModelFacts
    card: str
    tensors: Sequence[Sequence[TensorForm]]
    files: Mapping[str, Any]

    @cached_property
    def spec(self) -> CellSpec:
        """Of the cell that it comes from."""
        return CellSpec.from_json(self.facts.spec)

    @cached_property
    def description(self) -> Description:
        """What the data set declares."""
        found: Description = _adapter(Description).validate_python(self.facts.description)
        return found

    def weights(self, number: int) -> "dict[str, torch.Tensor]":
        """The tensors of a training by name, on the CPU.

        Raises:
            DataError: they are not what was written, not what the file declares, or not numbers.
        """
        with _told(self.path), ZipFile(self.path) as archive:
            content = bytearray(_read(archive, _weights_name(number), self.files))
            state = _split(content, self.tensors[number])
        for name, one in state.items():
            if one.is_floating_point() and bool(one.isnan().any()):
                raise DataError(f"the weights in {self.path} are no numbers", found=f"NaN in {name}", hint=ANEW)
        return state


def read_model_file(path: Path) -> ModelFile:
    """A model file, all but its weights.

    Raises:
        DataError: it cannot be read, is no model file, or not what was written.
        IncompatibleError: another version wrote it.
    """
    with _told(path), ZipFile(path) as archive:
        _check_members(archive, path)
        document = _document(parse_json(_content(archive, FACTS)), path)
        _check_sizes(document, archive)
        found = ModelFile(
            path, document.model, _read(archive, CARD, document.files).decode(), document.tensors, document.files
        )
        if len(found.spec.trainings) != len(found.tensors) or found.spec.kind != "method":
            raise ValueError(f"weights of {len(found.tensors)} trainings, and its cell needs others")
        assert found.description is not None
    return found


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turns whatever a damaged or hostile file raises into an error that names it."""
    try:
        yield
    except (DataError, *_FAULTS) as error:
        found = error.fault if isinstance(error, DataError) else _fault(error)
        whole = "a file that mrbench export-model wrote, whole"
        raise DataError(f"cannot read the model {path}", expected=whole, found=found, hint=ANEW) from error


_FAULTS = (BadZipFile, ZlibError, OSError, EOFError, ValueError, TypeError, KeyError, RuntimeError)


def _fault(error: BaseException) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:300]
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{type(error).__name__}: {text}"[:300]


def _check_members(archive: ZipFile, path: Path) -> None:
    """Members are stored as they are, and no larger than the file or than texts of a model."""
    size = path.stat().st_size
    for one in archive.infolist():
        if one.compress_type or one.file_size != one.compress_size or one.flag_bits & 1:
            raise ValueError(f"{one.filename} is packed or encrypted")
        if one.file_size > min(size, MAX_BYTES.get(one.filename, size)):
            raise ValueError(f"{one.filename} declares {one.file_size} bytes")


def _document(content: Any, path: Path) -> _Document:
    if not isinstance(content, dict):
        raise ValueError(f"{FACTS} is no object")
    if isinstance(version := content.get("format"), int) and version != MODEL_FORMAT:
        raise IncompatibleError(
            f"the model {path} was written by another version of mrbench",
            expected=f"model format {MODEL_FORMAT}",
            found=str(version),
            hint="install that version, or mrbench export-model writes it anew with this one",
        )
    rest = {name: value for name, value in content.items() if name != SEAL}
    if digest_json(rest) != content.get(SEAL):
        raise ValueError(f"{FACTS} is not what was written")
    del rest["format"]
    found: _Document = _adapter(_Document).validate_python(rest)
    return found


def _check_sizes(document: _Document, archive: ZipFile) -> None:
    expected = {CARD, *(_weights_name(number) for number in range(len(document.tensors)))}
    if set(document.files) != expected or sorted(archive.namelist()) != sorted({FACTS, *expected}):
        raise ValueError(f"other members than {FACTS}, {', '.join(sorted(expected))}")
    for number, forms in enumerate(document.tensors):
        if unknown := [form.dtype for form in forms if form.dtype not in DTYPES]:
            raise ValueError(f"tensors of type {unknown[0][:40]!r}")
        if len({form.name for form in forms}) < len(forms):
            raise ValueError("two tensors of one name")
        declared, held = sum(form.bytes for form in forms), document.files[_weights_name(number)].bytes
        if declared != held:
            raise ValueError(f"tensors of {declared} bytes in {held} bytes")


def _content(archive: ZipFile, name: str) -> bytes:
    info = archive.getinfo(name)
    with open_member(archive, info) as stream:
        return stream.read(info.file_size + 1)


def _read(archive: ZipFile, name: str, files: Mapping[str, Any]) -> bytes:
    content, expected = _content(archive, name), files[name]
    if (len(content), hashlib.sha256(content).hexdigest()) != (expected.bytes, expected.sha256):
        raise ValueError(f"{name} is not what was written")
    return content


def _split(content: bytearray, forms: Sequence[TensorForm]) -> "dict[str, torch.Tensor]":
    import torch

    state, at = {}, 0
    for form in forms:
        dtype = getattr(torch, form.dtype)
        count = math.prod(form.shape)
        flat = torch.frombuffer(content, dtype=dtype, count=count, offset=at) if count else torch.empty(0, dtype=dtype)
        state[form.name] = flat.reshape(form.shape).clone()  # aligned, and of memory of its own
        at += form.bytes
    return state


@cache
def _adapter(form: type) -> TypeAdapter[Any]:
    return TypeAdapter(form)
