import http.client
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from mrbench.errors import UsageError
from mrbench.leaderboard.serve import HOST, server


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    site = tmp_path / "site"
    (site / "folder").mkdir(parents=True)
    (site / "index.html").write_text("<p>board</p>")
    (site / ".compared.json").write_text("{}")
    (tmp_path / "secret.txt").write_text("secret")
    (site / "link.txt").symlink_to(tmp_path / "secret.txt")
    with server(site) as serving:
        thread = Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        yield serving.server_port
        serving.shutdown()
        thread.join()


def get(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_the_built_files_are_served(port: int):
    assert get(port, "/") == (200, "<p>board</p>")


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/%2e%2e/secret.txt", "/folder/../../secret.txt", "/link.txt", "/folder/", "/.compared.json"],
)
def test_nothing_else_is(port: int, path: str):
    status, content = get(port, path)
    assert status == 404
    assert "secret" not in content.replace("secret.txt", "")


def test_a_port_that_is_taken_is_told(tmp_path: Path, port: int):
    with pytest.raises(UsageError, match=f"cannot serve at port {port}"):
        server(tmp_path, port)
