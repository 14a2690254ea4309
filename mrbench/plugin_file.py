"""A plugin in one file, without packaging: imported under the name of the file."""

import importlib.util
import keyword
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from mrbench.errors import PluginError, UsageError

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}\.py")
"""File names that are module names, and safe in the names of folders."""

BYTES = 2**20
"""No source file is larger."""

LINES, CHARACTERS = 12, 2000
"""Of a traceback that an error shows at most."""

STATED_DIGEST = "__mrbench_digest__"


@dataclass(frozen=True)
class PluginFile:
    """A plugin file as it was read, so that what is imported is what the digest is of.

    Attributes:
        path: absolute.
        source: its bytes.
    """

    path: Path
    source: bytes

    @classmethod
    def read(cls, path: Path) -> "PluginFile":
        """Reads a file.

        Raises:
            UsageError: no readable file, or a name that no module can have.
        """
        if not NAME.fullmatch(path.name) or keyword.iskeyword(path.stem):
            raise UsageError(
                f"cannot use the plugin file {path}", expected="a name like my_method.py", hint="rename the file"
            )
        if path.exists() and not path.is_file():
            raise UsageError(f"the plugin file {path} is no file")  # reading a pipe would wait for ever
        try:
            with path.open("rb") as file:
                source = file.read(BYTES + 1)
        except OSError as error:
            raise UsageError(f"cannot read the plugin file {path}", found=error.strerror or str(error)) from None
        if len(source) > BYTES:
            raise UsageError(f"the plugin file {path} is no source file", expected=f"at most {BYTES} bytes")
        return cls(path.resolve(), source)

    @property
    def name(self) -> str:
        """Stands for a distribution in the names of what the file provides: ``my_method.py:NAME``."""
        return self.path.name

    @property
    def digest(self) -> str:
        """The first hex digits of the content's SHA-256: the file's version."""
        import hashlib

        return hashlib.sha256(self.source).hexdigest()[:12]

    def module(self) -> ModuleType:
        """The file as a module of its own name, so that ``"my_method:Class"`` finds its classes.

        Imported once while its content stays the same.

        Raises:
            UsageError: another module has the name.
            Exception: whatever the file raises.
        """
        known = sys.modules.get(self.path.stem)
        if known is None or self._is_own(getattr(known, "__file__", None)):
            same = getattr(known, STATED_DIGEST, None) == self.digest
            return known if known is not None and same else self._imported()
        raise self._taken(getattr(known, "__file__", None))

    def _imported(self) -> ModuleType:
        name = self.path.stem
        sys.modules.pop(name, None)
        found = importlib.util.find_spec(name)
        if found is not None and not self._is_own(found.origin):
            raise self._taken(found.origin)
        spec = importlib.util.spec_from_file_location(name, self.path)
        assert spec is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        setattr(module, STATED_DIGEST, self.digest)
        try:
            # Not by the loader, which would read the file again, or worse, find an older one's byte code.
            exec(compile(self.source, str(self.path), "exec", dont_inherit=True), vars(module))
        except BaseException:
            sys.modules.pop(name, None)
            raise
        return module

    def _is_own(self, origin: str | None) -> bool:
        return origin is not None and Path(origin).resolve() == self.path

    def _taken(self, origin: str | None) -> UsageError:
        return UsageError(
            f"the plugin file {self.path.name} has the name of another module",
            found=f"{self.path.stem!r} in {origin or 'Python itself'}",
            hint="rename the file, and the module in its factories",
        )


@contextmanager
def blaming(file: PluginFile) -> Iterator[None]:
    """Turns whatever a plugin file does wrong into an error that names it and shows the end of the traceback.

    Raises:
        PluginError: instead of any exception but an interruption and a usage error.
    """
    try:
        yield
    except (KeyboardInterrupt, UsageError):
        raise
    except PluginError as error:
        raise PluginError(
            f"plugin file {file.name}: {error.what}",
            expected=error.expected,
            found=error.found,
            hint=error.hint,
            place=error.place,
        ) from None
    except BaseException as error:
        raise PluginError(
            f"plugin file {file.name} raised an exception",
            found=_end_of_traceback(error, file.path),
            hint=_remedy(error, file.path),
        ) from None


def _remedy(error: BaseException, path: Path) -> str:
    missing = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    beside = missing and any((path.parent / name).exists() for name in (missing, f"{missing}.py"))
    return "a plugin file stands alone: put all into it, or into a package (mrbench new)" if beside else ""


def _end_of_traceback(error: BaseException, path: Path) -> str:
    told = traceback.TracebackException.from_exception(error)
    own = [frame for frame in told.stack if frame.filename == str(path)]
    text = "".join([*traceback.format_list(own[-1:]), *told.format_exception_only()])
    return "\n".join(text[-CHARACTERS:].strip().splitlines()[-LINES:])


def file_of(key: str) -> str:
    """The name of the plugin file that a registry key begins with; empty where it names none."""
    head, colon, _ = key.partition(":")
    return head if colon and NAME.fullmatch(head) else ""


def content_of(version: str) -> str:
    """The digest of the file's content that the version of what it provides ends with; empty where it has none."""
    return version.rpartition("+")[2] if "+" in version else ""
