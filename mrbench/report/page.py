"""The page: a report put into the template, with nothing that leads out of the file."""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from mrbench import __version__
from mrbench.errors import UsageError
from mrbench.files import replaced
from mrbench.report.gather import Report
from mrbench.report.view import view_of
from mrbench.results.columns import RESEARCH

STYLES = ("style.css", "gallery.css")
SCRIPTS = ("theme.js", "tables.js", "gallery.js")


def write_page(report: Report, path: Path) -> int:
    """Writes the page whole or not at all; returns its size in bytes.

    Raises:
        UsageError: a name that no browser takes for a page, or a package is missing.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"cannot write the report {path}", expected="a name that ends with .html")
    content = render(report).encode("utf-8", "replace")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced(path) as temporary:
        temporary.write_bytes(content)
    return len(content)


def render(report: Report) -> str:
    """The page as text.

    Raises:
        UsageError: a package is missing.
    """
    check_packages()
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    style = "\n".join(_file(name) for name in STYLES)
    scripts = [_file(name) for name in SCRIPTS]
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(_file("page.html")).render(
        policy=_policy(style, scripts),
        title=" · ".join(run.id for run in report.runs),
        style=Markup(style),
        scripts=[Markup(script) for script in scripts],
        version=__version__,
        research=RESEARCH,
        datasets=[view_of(part, f"d{number}") for number, part in enumerate(report.datasets)],
    )


def check_packages() -> None:
    """Refuses to begin what cannot be finished.

    Raises:
        UsageError: a package is missing; names the command that installs it.
    """
    from importlib.util import find_spec

    for name in ("jinja2", "matplotlib"):
        if find_spec(name) is None:
            raise UsageError(f"a report needs {name}", hint="pip install 'mrbench[report]'")


def _file(name: str) -> str:
    return files("mrbench.report").joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, scripts: Sequence[str]) -> str:
    """What the browser may load and run: the page's own style and scripts, known by their content; nothing else."""
    own = " ".join(_hash(script) for script in scripts)
    rules = ["default-src 'none'", f"script-src {own}", f"style-src {_hash(style)}", "img-src data:"]
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
