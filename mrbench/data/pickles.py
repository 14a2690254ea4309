"""Pickles from strangers: plain containers, numbers, texts and NumPy arrays, and nothing that could run.

Python's own reader calls whatever a pickle names. This one is a small machine of its own that knows the instructions
which data need; the few names that it admits stand for functions in this module. Array types, shapes and lengths are
checked here: NumPy never sees what the file says about itself.
"""

import math
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from pickletools import opcodes
from struct import error as StructError  # noqa: N812
from struct import unpack
from typing import IO, Any

import numpy as np

from mrbench.errors import DataError

MAX_PICKLE_BYTES = 16 * 2**30
"""Of a file: what it holds is in memory at once."""

MAX_INSTRUCTIONS = 10_000_000
"""Each may leave a small object in memory."""

MAX_LONG_BYTES = 16
"""Of a whole number."""

MAX_KEY = 2**60
"""Of a whole number that is the key of an entry."""

MAX_NAME_BYTES = 256
"""Of the name of a module or of what is in it."""

MAX_AXES = 8
"""Of an array."""

MAX_DEPTH = 1000
"""Of containers whose contents are still being read."""

_ADMITTED = "NumPy arrays and numbers, dict, list, tuple, str, bytes, int, float, bool and None"
_NAMES = {opcode.code.encode("latin-1"): opcode.name for opcode in opcodes}
_DAMAGE = (
    *(IndexError, KeyError, TypeError, ValueError, OverflowError, EOFError, OSError),
    *(MemoryError, RecursionError, StructError, AttributeError),
)


def read_pickle(path: Path, *, hint: str) -> Any:
    """The object in a pickle of protocol 2 to 5: dict, list, tuple, str, bytes, numbers, None and arrays.

    Texts that Python 2 wrote are read as Latin-1, so that no byte is lost. Arrays are read-only views of what was read,
    in the byte order of the file.

    Args:
        path: the file.
        hint: the next command, for messages.

    Raises:
        DataError: not a whole pickle, or one that names, calls, declares or nests what data never need.
    """
    machine = _Machine(path, hint)
    size = path.stat().st_size if path.is_file() else 0
    if not 0 < size <= MAX_PICKLE_BYTES:
        raise machine.fault("has a wrong size", f"a file of 1 to {MAX_PICKLE_BYTES} bytes", f"{size} bytes")
    try:
        with path.open("rb") as file:
            return machine.run(file, size)
    except _DAMAGE as error:
        raise machine.fault("is not a whole pickle", _ADMITTED, f"{type(error).__name__}: {error}"[:200]) from error


class _Global:
    """A name that the pickle may call; what it does is written here."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[["_Machine", tuple[Any, ...]], Any]) -> None:
        self.call = call


class _Type:
    """A type of arrays between its creation and its use."""

    __slots__ = ("code", "order")

    def __init__(self, code: str) -> None:
        self.code, self.order = code, "|"

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(self.code).newbyteorder("=" if self.order == "|" else self.order)  # type: ignore[arg-type]


class _Draft:
    """An array whose content follows; ``places`` in the memo are given the array then."""

    __slots__ = ("places",)

    def __init__(self) -> None:
        self.places: list[int] = []


class _Machine:
    """The stack, the marks and the memo of one pickle."""

    def __init__(self, path: Path, hint: str) -> None:
        self.path, self.hint = path, hint
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.left = self.copies = 0

    def fault(self, what: str, expected: str, found: str) -> DataError:
        return DataError(f"{self.path} {what}", expected=expected, found=found, hint=self.hint)

    def run(self, file: IO[bytes], size: int) -> Any:
        # Texts that become bytes are copied; each needs to be copied once.
        self._file, self.left, self.copies = file, size, size
        if self.take(1) != pickle.PROTO or self.take(1)[0] not in range(2, 6):
            raise self.fault("is not a pickle of protocol 2 to 5", "a pickle", "another beginning")
        for _ in range(MAX_INSTRUCTIONS):
            code = self.take(1)
            if code == pickle.STOP:
                return self.stack.pop()
            instruction = _INSTRUCTIONS.get(code)
            if instruction is None:
                raise self.fault("holds what no data need", _ADMITTED, f"instruction {_NAMES.get(code, code)!s}")
            instruction(self)
        raise self.fault("is too long", f"at most {MAX_INSTRUCTIONS} instructions", "more")

    def take(self, n: int) -> bytes:
        """The next ``n`` bytes; memory is taken only for what the file holds."""
        if not 0 <= n <= self.left:
            raise self.fault("declares more than it holds", f"at most {self.left} bytes", f"{n} bytes")
        raw = self._file.read(n)
        if len(raw) < n:
            raise EOFError("the file ends early")
        self.left -= n
        return raw

    def take_sized(self, width: int) -> bytes:
        """As many bytes as the ``width`` bytes before them say."""
        return self.take(int.from_bytes(self.take(width), "little"))

    def take_line(self) -> str:
        raw = self._file.readline(MAX_NAME_BYTES)
        self.left -= len(raw)
        if not raw.endswith(b"\n"):
            raise ValueError(f"a name of more than {MAX_NAME_BYTES} bytes")
        return raw[:-1].decode("utf-8")

    def bytes_of(self, text: Any) -> bytes:
        """The bytes of a text in Latin-1, or bytes as they are; copies are counted against the size of the file."""
        if isinstance(text, bytes):
            return text
        if type(text) is not str:
            raise TypeError(f"bytes as {type(text).__name__}")
        self.copies -= len(text)
        if self.copies < 0:
            raise self.fault("copies one text many times", "each once", "more bytes than the file has")
        return text.encode("latin-1")

    def unmark(self) -> list[Any]:
        """What lies above the last mark."""
        items, self.stack = self.stack, self.marked.pop()
        return items

    def mark(self) -> None:
        if len(self.marked) == MAX_DEPTH:
            raise self.fault("is nested too deep", f"at most {MAX_DEPTH} levels", "more")
        self.marked.append(self.stack)
        self.stack = []

    def remember(self, place: int) -> None:
        value = self.stack[-1]
        if isinstance(value, _Draft):
            value.places.append(place)
        self.memo[place] = value

    def name(self, module: Any, name: Any) -> None:
        known = _GLOBALS.get((module, name)) if type(module) is type(name) is str else None
        if known is None:
            shown = f"{module}.{name}"[: 2 * MAX_NAME_BYTES] if type(module) is type(name) is str else "no name"
            raise self.fault("names what no data need", _ADMITTED, shown)
        self.stack.append(known)

    def call(self) -> None:
        arguments, function = self.stack.pop(), self.stack[-1]
        if not isinstance(function, _Global) or type(arguments) is not tuple:
            raise self.fault("calls what no data need", _ADMITTED, f"a call of {type(function).__name__}")
        self.stack[-1] = function.call(self, arguments)

    def build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, _Type):
            _set_order(self, target, state)
        elif isinstance(target, _Draft):
            self.stack[-1] = _filled(self, state)
            self.memo |= dict.fromkeys(target.places, self.stack[-1])
            target.places.clear()  # or each copy of the draft would go through them again
        else:
            raise self.fault("sets what no data need", _ADMITTED, f"the state of {type(target).__name__}")

    def extend(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise TypeError("items of what is no list")
        self.stack[-1].extend(items)

    def update(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not dict or len(items) % 2:
            raise TypeError("entries of what is no dict")
        for key in items[::2]:
            # Python follows nested tuples without a limit when it hashes them.
            if type(key) not in (str, bytes, int, float, bool, type(None)):
                raise TypeError(f"a key of type {type(key).__name__}")
            # Numbers beyond the range of hashes can be chosen so that all have the same.
            if type(key) is int and abs(key) > MAX_KEY:
                raise ValueError("too large a number as a key")
        self.stack[-1].update(zip(items[::2], items[1::2], strict=True))


# --- what the admitted names do


def _start_array(machine: _Machine, arguments: tuple[Any, ...]) -> _Draft:
    if len(arguments) != 3 or arguments[0] is not _NDARRAY:
        raise machine.fault("makes an array of another class", "numpy.ndarray", "another")
    return _Draft()


def _filled(machine: _Machine, state: Any) -> np.ndarray:
    _, shape, kind, column_major, content = state
    return _array(machine, content, kind, shape, "F" if column_major else "C")


def _from_buffer(machine: _Machine, arguments: tuple[Any, ...]) -> np.ndarray:
    content, kind, shape, order = arguments
    return _array(machine, content, kind, shape, "F" if order == "F" else "C")


def _array(machine: _Machine, content: Any, kind: Any, shape: Any, order: Any) -> np.ndarray:
    dtype, lengths = _dtype(machine, kind), _shape(machine, shape)
    if type(content) not in (str, bytes):
        raise machine.fault("has an array of objects", "numbers", type(content).__name__)
    raw, declared = machine.bytes_of(content), math.prod(lengths) * dtype.itemsize
    if declared != len(raw):
        raise machine.fault("has an array of a wrong size", f"{declared} bytes for {shape}", f"{len(raw)} bytes")
    return np.ndarray(lengths, dtype, raw, order=order)


def _shape(machine: _Machine, shape: Any) -> tuple[int, ...]:
    fits = type(shape) is tuple and len(shape) <= MAX_AXES
    if not fits or any(type(axis) is not int or not 0 <= axis < 2**31 for axis in shape):
        raise machine.fault("has an array of a wrong shape", f"at most {MAX_AXES} lengths", "another")
    return tuple(shape)


def _dtype(machine: _Machine, kind: Any) -> np.dtype:
    if not isinstance(kind, _Type):
        raise machine.fault("has an array without a type", "numbers", type(kind).__name__)
    return kind.dtype


def _start_type(machine: _Machine, arguments: tuple[Any, ...]) -> _Type:
    code = arguments[0] if arguments else None
    if type(code) is not str or re.fullmatch("b1|[iu][1248]|f[248]", code) is None:
        raise machine.fault("has an array of another type", "booleans, integers or floats", _shown(code))
    return _Type(code)


def _set_order(machine: _Machine, target: _Type, state: Any) -> None:
    fits = type(state) is tuple and 2 <= len(state) <= 9 and state[1] in ("<", ">", "|", "=")
    if not fits or any(part is not None for part in state[2:5]):
        raise machine.fault("has an array of another type", "booleans, integers or floats", "a type with parts")
    target.order = state[1]


def _number(machine: _Machine, arguments: tuple[Any, ...]) -> bool | int | float:
    kind, content = arguments
    value: bool | int | float = _array(machine, content, kind, (), "C").item()
    return value


def _encoded(machine: _Machine, arguments: tuple[Any, ...]) -> bytes:
    # How Python 3 writes bytes for Python 2.
    text, encoding = arguments
    if type(encoding) is not str or encoding not in ("latin1", "latin-1"):
        raise machine.fault("encodes a text in another way", "latin1", _shown(encoding))
    return machine.bytes_of(text)


def _no_bytes(machine: _Machine, arguments: tuple[Any, ...]) -> bytes:
    if arguments:
        raise machine.fault("calls bytes with arguments", "none", f"{len(arguments)}")
    return b""


def _shown(value: Any) -> str:
    # A container may hold itself many times over: its text would never end.
    return repr(value[:40]) if type(value) is str else f"a {type(value).__name__}"


def _never(machine: _Machine, _: tuple[Any, ...]) -> Any:
    raise machine.fault("makes an array directly", "an array as NumPy writes it", "a call of numpy.ndarray")


_NDARRAY = _Global(_never)
_GLOBALS: dict[tuple[str, str], _Global] = {
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): _Global(_start_type),
    ("_codecs", "encode"): _Global(_encoded),
    ("__builtin__", "bytes"): _Global(_no_bytes),
    ("builtins", "bytes"): _Global(_no_bytes),
}
for _core in ("numpy.core", "numpy._core"):  # of NumPy 1 and 2
    _GLOBALS[f"{_core}.multiarray", "_reconstruct"] = _Global(_start_array)
    _GLOBALS[f"{_core}.multiarray", "scalar"] = _Global(_number)
    _GLOBALS[f"{_core}.numeric", "_frombuffer"] = _Global(_from_buffer)


# --- what the admitted instructions do


def _push(read: Callable[[_Machine], Any]) -> Callable[[_Machine], None]:
    def push(machine: _Machine) -> None:
        value = read(machine)  # which may change the stack
        machine.stack.append(value)

    return push


def _whole(width: int, *, signed: bool = False) -> Callable[[_Machine], Any]:
    return lambda machine: int.from_bytes(machine.take(width), "little", signed=signed)


def _long(width: int) -> Callable[[_Machine], int]:
    def read(machine: _Machine) -> int:
        size = int.from_bytes(machine.take(width), "little")
        if size > MAX_LONG_BYTES:
            raise machine.fault("has too long a number", f"at most {MAX_LONG_BYTES} bytes", f"{size} bytes")
        return int.from_bytes(machine.take(size), "little", signed=True)

    return read


def _text(width: int, encoding: str) -> Callable[[_Machine], str]:
    errors = "surrogatepass" if encoding == "utf-8" else "strict"
    return lambda machine: machine.take_sized(width).decode(encoding, errors)


def _tuple(n: int) -> Callable[[_Machine], None]:
    def build(machine: _Machine) -> None:
        if len(machine.stack) < n:
            raise IndexError("a tuple of more than there is")
        machine.stack[-n:] = [tuple(machine.stack[-n:])]

    return build


def _ignore(value: object) -> None:
    del value


def _pop(machine: _Machine) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.unmark()


_INSTRUCTIONS: dict[bytes, Callable[[_Machine], None]] = {
    pickle.FRAME: lambda m: _ignore(m.take(8)),  # only says how much to read at once
    pickle.MARK: _Machine.mark,
    pickle.POP: _pop,
    pickle.POP_MARK: lambda m: _ignore(m.unmark()),
    pickle.DUP: lambda m: m.stack.append(m.stack[-1]),
    pickle.NONE: _push(lambda _: None),
    pickle.NEWTRUE: _push(lambda _: True),
    pickle.NEWFALSE: _push(lambda _: False),
    pickle.BININT: _push(_whole(4, signed=True)),
    pickle.BININT1: _push(_whole(1)),
    pickle.BININT2: _push(_whole(2)),
    pickle.LONG1: _push(_long(1)),
    pickle.LONG4: _push(_long(4)),
    pickle.BINFLOAT: _push(lambda m: unpack(">d", m.take(8))[0]),
    pickle.SHORT_BINSTRING: _push(_text(1, "latin-1")),
    pickle.BINSTRING: _push(_text(4, "latin-1")),
    pickle.SHORT_BINUNICODE: _push(_text(1, "utf-8")),
    pickle.BINUNICODE: _push(_text(4, "utf-8")),
    pickle.BINUNICODE8: _push(_text(8, "utf-8")),
    pickle.SHORT_BINBYTES: _push(lambda m: m.take_sized(1)),
    pickle.BINBYTES: _push(lambda m: m.take_sized(4)),
    pickle.BINBYTES8: _push(lambda m: m.take_sized(8)),
    pickle.BYTEARRAY8: _push(lambda m: m.take_sized(8)),
    pickle.EMPTY_TUPLE: _push(lambda _: ()),
    pickle.TUPLE1: _tuple(1),
    pickle.TUPLE2: _tuple(2),
    pickle.TUPLE3: _tuple(3),
    pickle.TUPLE: _push(lambda m: tuple(m.unmark())),
    pickle.EMPTY_LIST: _push(lambda _: []),
    pickle.LIST: _push(_Machine.unmark),
    pickle.APPEND: lambda m: m.extend([m.stack.pop()]),
    pickle.APPENDS: lambda m: m.extend(m.unmark()),
    pickle.EMPTY_DICT: _push(lambda _: {}),
    pickle.SETITEM: lambda m: m.update([m.stack.pop(), m.stack.pop()][::-1]),
    pickle.SETITEMS: lambda m: m.update(m.unmark()),
    pickle.BINGET: _push(lambda m: m.memo[_whole(1)(m)]),
    pickle.LONG_BINGET: _push(lambda m: m.memo[_whole(4)(m)]),
    pickle.BINPUT: lambda m: m.remember(_whole(1)(m)),
    pickle.LONG_BINPUT: lambda m: m.remember(_whole(4)(m)),
    pickle.MEMOIZE: lambda m: m.remember(len(m.memo)),
    pickle.GLOBAL: lambda m: m.name(m.take_line(), m.take_line()),
    pickle.STACK_GLOBAL: lambda m: m.name(*[m.stack.pop(), m.stack.pop()][::-1]),
    pickle.REDUCE: _Machine.call,
    pickle.BUILD: _Machine.build,
}
