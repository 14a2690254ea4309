"""Events of workers: put together from parts, and a line that is too long harms nobody."""

import json

import pytest

from mrbench.engine.events import EVENT_BYTES, EventReader


def read(content: bytes, size: int) -> list[dict]:
    reader = EventReader()
    return [event for at in range(0, len(content), size) for event in reader.read(content[at : at + size])]


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_events_are_the_same_however_they_arrive(size: int):
    events = [{"event": "phase", "phase": "fit"}, {"event": "epoch", "epoch": 3}]
    assert read(b"".join(json.dumps(event).encode() + b"\n" for event in events), size) == events


@pytest.mark.parametrize("line", [b"", b"{", b"[1]", b"7", b'{"a": 1}', b'{"event": 3}', b"\xff", b"[" * 100_000])
def test_what_is_no_event_is_passed_over(line: bytes):
    assert read(line + b'\n{"event": "end"}\n', 1000) == [{"event": "end"}]


def test_the_last_line_counts_once_it_is_whole():
    assert read(b'{"event": "end"}', 4) == []


@pytest.mark.parametrize("size", [1000, 65536, 10**7])
def test_a_line_that_is_too_long_is_refused_with_its_length_and_the_next_one_is_read(size: int):
    length = 12_000_000
    refused, event = read(b"x" * length + b'\n{"event": "end"}\n', size)
    assert "12,000,000 bytes was refused" in refused["text"]
    assert event == {"event": "end"}


def test_a_line_of_just_the_bound_is_read():
    text = "y" * (EVENT_BYTES - len(json.dumps({"event": ""})))
    assert read(json.dumps({"event": text}).encode() + b"\n", 4096) == [{"event": text}]
