"""What a page holds of a case is exactly what the data set and the predictions hold."""

import base64
import zlib
from typing import Any

import numpy as np
import pytest

from mrbench.engine.predictions import read_draws
from mrbench.engine.run import Run
from mrbench.interfaces.draw import DrawKind
from mrbench.pictures import load_cases
from mrbench.registry import Registry
from mrbench.report.blocks import CONSENSUS, MAX_SLICES, SAMPLE, _slices
from mrbench.report.choices import Choices
from mrbench.report.gather import gather


def parts_of(block: str, head: dict[str, Any]) -> list[bytes]:
    chain, at, parts = base64.b64decode(block), 0, []
    for length in head["lengths"]:
        parts.append(zlib.decompress(chain[at : at + length]) if length else b"")
        at += length
    assert at == len(chain)
    return parts


def masks_of(content: bytes, count: int, classes: int, head: dict[str, Any]) -> np.ndarray:
    slices, pixels = max(1, len(head["slices"])), head["h"] * head["w"]
    size = -(-pixels // 8)
    planes = np.frombuffer(content, np.uint8)[: count * classes * slices * size].reshape(count, classes, slices, size)
    return np.unpackbits(planes, axis=-1, count=pixels).reshape(count, classes, slices, head["h"], head["w"])


def gallery_of(run: Run, registry: Registry, **choices: Any) -> Any:
    (part,) = gather([run], registry, Choices(**choices)).datasets
    return part.gallery


def stored_draws(run: Run, method: str, fold: int, case: str) -> Any:
    spec = next(spec for spec, _ in run.cells if spec.method == method and spec.fold == fold)
    return dict(read_draws(spec.folder(run.results) / "predictions.h5"))[case]


def check_case(run: Run, cases: Any, head: dict[str, Any], block: str, methods: list[str], samples: int) -> None:
    index, classes = cases.ids.index(head["id"]), cases.description.n_classes - 1
    parts, slices = parts_of(block, head), [n - 1 for n in head["slices"]]
    pixels = max(1, len(slices)) * head["h"] * head["w"]
    masks = cases.pixels.masks(index)
    stack = masks[:, slices] if slices else masks[:, None]
    expected = np.stack([stack == label for label in range(1, classes + 1)], axis=1)
    assert (masks_of(parts[0][pixels:], len(masks), classes, head) == expected).all()
    for method, part, draws in zip(methods, parts[1:], head["draws"], strict=True):
        stored = stored_draws(run, method, head["fold"], head["id"])
        bits = np.stack([d.bits for d in stored])
        full = np.unpackbits(bits, axis=-1, count=masks[0].size).reshape(len(stored), classes, *masks.shape[1:])
        full = full[:, :, slices] if slices else full[:, :, None]
        drawn = [d for d in stored if d.kind is DrawKind.SAMPLE]
        shown = [n for n, d in enumerate(stored) if d not in drawn[samples:]]
        codes = {DrawKind.SAMPLE: SAMPLE, DrawKind.CONSENSUS: CONSENSUS}
        assert draws["shown"] == [codes.get(stored[n].kind, stored[n].rater) for n in shown]
        found = masks_of(part, len(shown), classes, head)
        assert (found == full[shown]).all()
        if drawn:
            votes = np.frombuffer(part[-classes * pixels :], np.uint8).reshape(full.shape[1:])
            assert draws["of"] == draws["voters"] == len(drawn)
            assert (votes == full[: len(drawn)].sum(axis=0)).all(), "samples stand first"


def test_slices(run: Run, registry: Registry):
    gallery = gallery_of(run, registry, samples=2)
    cases = load_cases(run.cells[0][0], registry, run)
    methods = [entry["label"] for entry in gallery.index["entries"]]
    for head, block in zip(gallery.index["cases"], gallery.blocks, strict=True):
        assert head["slices"] == []
        check_case(run, cases, head, block, methods, samples=2)


@pytest.mark.parametrize("depth", [0, 7])
def test_several_classes_and_volumes(make_odd, registry: Registry, depth: int):
    run = make_odd(depth=depth)
    gallery = gallery_of(run, registry)
    cases = load_cases(run.cells[0][0], registry, run)
    for head, block in zip(gallery.index["cases"], gallery.blocks, strict=True):
        assert head["slices"] == (list(range(1, 8)) if depth else [])
        assert head["most"] == (2 if depth else 0)
        check_case(run, cases, head, block, ["alpha", "vote"], samples=6)
    assert "The image is the first of 2 channels, 'a'." in gallery.notes


def test_the_image_is_grey_from_its_darkest_to_its_brightest(run: Run, registry: Registry):
    gallery = gallery_of(run, registry)
    cases = load_cases(run.cells[0][0], registry, run)
    head = gallery.index["cases"][0]
    grey = np.frombuffer(parts_of(gallery.blocks[0], head)[0], np.uint8)[: head["h"] * head["w"]]
    image = cases.pixels.image(cases.ids.index(head["id"]))[0].reshape(-1)
    assert (grey.min(), grey.max()) == (0, 255)
    assert (np.diff(grey[np.argsort(image)].astype(int)) >= 0).all(), "brighter stays brighter"


def test_the_slices_of_a_volume_are_those_that_are_marked_and_their_neighbours():
    marked = np.zeros(90, bool)
    marked[[10, 14]] = True
    assert _slices(marked, 14) == tuple(range(9, 16))
    marked[0] = marked[89] = True
    found = _slices(marked, 37)
    assert len(found) == MAX_SLICES
    assert found == tuple(sorted(set(found)))
    assert {0, 37, 89} <= set(found)
    assert _slices(np.zeros(5, bool), 2) == (1, 2, 3)
