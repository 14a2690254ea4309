"""Serving: a built leaderboard to browsers of this computer, and nothing else."""

from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mrbench.errors import UsageError

HOST = "127.0.0.1"


def server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """A server of the folder's files, at a free port where it is 0; lists no folder and follows no link out of it.

    Raises:
        UsageError: the port is taken.
    """
    handler = partial(_Handler, directory=str(folder.resolve()))
    try:
        return ThreadingHTTPServer((HOST, port), handler)
    except OSError as error:
        found = error.strerror or str(error)
        raise UsageError(f"cannot serve at port {port}", found=found, hint="leave --port out") from None


class _Handler(SimpleHTTPRequestHandler):
    def send_head(self) -> Any:
        path = Path(self.translate_path(self.path))
        hidden = any(part.startswith(".") for part in path.relative_to(self.directory).parts)
        if hidden or not path.resolve().is_relative_to(self.directory):
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

    def list_directory(self, path: Any) -> None:  # noqa: ARG002
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing of each file."""
