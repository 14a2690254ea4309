"""The built wheel holds the harness and every built-in plugin, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_wheel_holds_every_package_and_entry_point(tmp_path: Path):
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (entries,) = (archive.read(name).decode() for name in names if name.endswith("entry_points.txt"))
    packages = {path.name for folder in ("plugins", "datasets") for path in (ROOT / folder).glob("mrbench_*")}
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == packages | {"mrbench"}
    assert "mrbench/py.typed" in names
    templates = (ROOT / "mrbench" / "scaffold" / "templates").rglob("*.template")
    assert {str(path.relative_to(ROOT)) for path in templates} <= set(names)
    assert {f"mrbench/report/{name}" for name in ("page.html", "style.css", "theme.js", "tables.js")} <= set(names)
    site = ("site.css", "table.js", "templates/base.html")
    assert {f"mrbench/leaderboard/site/{name}" for name in site} <= set(names)
    assert all(f"= {package}\n" in entries + "\n" for package in packages)
    assert "mrbench = mrbench.cli:main" in entries
