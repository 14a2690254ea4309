"""Training slices: from memory, read at once from a container, and read batch by batch."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from mrbench import Config, Method, ParameterGroup, Stage
from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.data.container import open_container, write_container
from mrbench.data.description import Description, Raters, Unit
from mrbench.engine.augmentation import augment
from mrbench.engine.fit import fit
from mrbench.engine.slices import MEMORY_MIB, VARIABLE, Slices, StreamedSlices, memory_limit, slices_of, training_slices
from mrbench.errors import DataError, UsageError

CPU = torch.device("cpu")


def make_cases(shapes, *, dtype="uint8", **declared) -> CaseSet:
    """Noise, with a rater absent here and there."""
    rng = np.random.default_rng(0)
    n = len(shapes)
    present = rng.random((n, 3)) < 0.7
    present[:, 0] = True
    volume = Unit.VOLUME if len(shapes[0]) == 3 else Unit.SLICE
    return CaseSet(
        description=Description(
            name="noise", version="1", classes=("no", "yes"), channels=("a", "b"), raters=Raters.IDENTIFIED,
            rater_names=("x", "y", "z"), unit=volume, **{"normalisation": "byte"} | declared,
        ),
        pixels=ArrayPixels(
            [rng.integers(0, 256, (2, *shape)).astype(dtype) for shape in shapes],
            [rng.integers(0, 2, (3, *shape)).astype(np.uint8) for shape in shapes],
        ),
        ids=tuple(f"case-{i}" for i in range(n)),
        subjects=tuple(f"p{i}" for i in range(n)),
        present=present,
    )  # fmt: skip


LAYOUTS = {
    "slices": make_cases([(8, 6)] * 7),
    "volumes": make_cases([(2, 8, 6), (4, 8, 6), (1, 8, 6)]),
    "a training size": make_cases([(8, 6), (9, 12), (5, 5)], training_size=(7, 8)),
    "volumes of a training size": make_cases([(2, 8, 6), (3, 9, 12)], training_size=(7, 8)),
    "z-score": make_cases([(8, 6)] * 5, dtype="float32", normalisation="z-score"),
    "byte, but not of bytes": make_cases([(8, 6)] * 5, dtype="uint16"),
}


def with_void(cases: CaseSet) -> CaseSet:
    """The same cases; two rows of every second one are void."""
    masks = [cases.pixels.masks(i).copy() for i in range(len(cases))]
    valid: list[np.ndarray | None] = [None if i % 2 else np.ones(one.shape[1:], bool) for i, one in enumerate(masks)]
    for one, own in zip(masks, valid, strict=True):
        if own is not None:
            own[..., 2:4, :], one[..., 2:4, :] = False, 0
    return replace(cases, pixels=replace(cases.pixels, all_masks=masks, all_valid=valid))


LAYOUTS |= {f"{name}, void": with_void(cases) for name, cases in LAYOUTS.items()}


@pytest.fixture(params=LAYOUTS)
def ways(request, tmp_path):
    """The slices of all cases but the first: from arrays, from a container read whole, and streamed."""
    cases = LAYOUTS[request.param]
    write_container(tmp_path / "cases.h5", cases)
    indices = np.arange(1, len(cases))
    whole, streamed = (open_container(tmp_path / "cases.h5", mode) for mode in ("memory", "stream"))
    return [
        slices_of(cases, indices), slices_of(whole, indices), slices_of(streamed, indices),
        training_slices(streamed, indices, memory=0),
    ]  # fmt: skip


def assert_alike(batches):
    first, *others = batches
    for other in others:
        for name in ("image", "masks", "present", "valid"):
            torch.testing.assert_close(getattr(other, name), getattr(first, name), rtol=0, atol=0)


def test_every_way_of_reading_gives_identical_batches(ways):
    assert [type(way) for way in ways] == [Slices, Slices, Slices, StreamedSlices]
    assert len({len(way) for way in ways}) == 1
    order = torch.randperm(len(ways[0]), generator=torch.Generator().manual_seed(0))
    for indices in order.split(3):
        assert_alike([way.batch(indices, CPU) for way in ways])


def test_a_part_of_the_slices_is_the_same_part(ways):
    keep = np.arange(len(ways[0])) % 2 == 0
    parts = [way.select(keep) for way in ways]
    assert {len(part) for part in parts} == {int(keep.sum())}
    assert_alike([part.batch(torch.arange(len(part)), CPU) for part in parts])


def test_absent_raters_and_fused_labels_are_the_same(ways):
    def union(masks, present):
        return (masks * present[:, :, None, None]).max(axis=1)

    present = ways[0].present.clone()
    present[:, 1] = False
    fused = [replace(way, present=present).fused(union) for way in ways]
    assert_alike([part.batch(torch.arange(len(part)), CPU) for part in fused])
    assert fused[-1].batch(torch.arange(1), CPU).masks.shape[1] == 1


def test_a_slice_is_normalised_and_absent_raters_are_zero():
    cases = LAYOUTS["slices"]
    batch = slices_of(cases, np.array([3, 4])).batch(torch.tensor([1]), CPU)
    np.testing.assert_array_equal(batch.image[0].numpy(), cases[4].image)
    np.testing.assert_array_equal(batch.masks[0].numpy(), cases[4].masks * cases.present[4][:, None, None])


def test_void_pixels_reach_the_batch_and_padding_counts():
    cases = with_void(make_cases([(8, 6), (8, 6), (4, 4)], training_size=(7, 8)))
    slices = slices_of(cases, np.arange(3))
    batch = slices.batch(torch.arange(3), CPU)
    expected = torch.ones(3, 7, 8, dtype=torch.bool)
    expected[0, 2:4, 1:7] = False  # cropped from 8 rows to 7, padded from 6 columns to 8
    expected[2, 3:5, 2:6] = False  # padded from 4 rows and columns
    assert torch.equal(batch.valid, expected)
    assert not batch.masks.movedim(1, -1)[~expected].any()
    assert batch.void
    assert torch.equal(batch.counted, expected)
    assert torch.equal(batch.counted_of(torch.tensor([2, 0])), expected[[2, 0]])
    without = slices_of(cases, np.array([1])).batch(torch.arange(1), CPU)
    assert without.valid.all()
    assert without.counted is None


def test_labels_of_void_pixels_never_reach_a_batch_or_a_fusion():
    cases = with_void(make_cases([(8, 6)] * 2))
    cases.pixels.all_masks[0][...] = 1  # a plugin's, that nobody checked
    slices, seen = slices_of(cases, np.arange(2)), []

    def union(masks, present, valid):
        seen.append(valid)
        return masks.max(axis=1)

    assert not slices.fused(union).masks[0, :, 2:4].any()
    assert torch.equal(torch.from_numpy(seen[0]), slices.valid)
    assert not slices.batch(torch.arange(2), CPU).masks[0, :, 2:4].any()
    slices_of(make_cases([(8, 6)] * 2), np.arange(2)).fused(union)
    assert seen[1] is None


@pytest.mark.parametrize("change", ["flip", "rotate90", "rotate"])
def test_an_augmented_void_pixel_stays_with_its_image(change):
    cases = with_void(make_cases([(8, 8)] * 8))
    batch = slices_of(cases, np.arange(8)).batch(torch.arange(8), CPU)
    marked = replace(batch, masks=(~batch.valid).long()[:, None].expand_as(batch.masks))
    moved = augment(marked, (change,))
    assert moved.void
    assert not torch.equal(moved.valid, batch.valid)
    assert torch.equal(moved.masks[:, 0].bool(), ~moved.valid)


def test_slices_of_different_sizes_name_the_case(tmp_path):
    cases = make_cases([(8, 6), (8, 6), (5, 6)])
    write_container(tmp_path / "cases.h5", cases)
    for found in (cases, open_container(tmp_path / "cases.h5", "stream")):
        with pytest.raises(DataError, match=r"differ in size") as caught:
            slices_of(found, np.arange(3))
        assert (caught.value.expected, caught.value.found) == (
            "(2, 8, 6) as in case 'case-0', or a declared training_size",
            "(2, 5, 6) in case 'case-2'",
        )


def test_streaming_begins_above_the_memory_that_is_allowed(tmp_path, monkeypatch):
    write_container(tmp_path / "cases.h5", make_cases([(64, 64)] * 70))  # 5 x 64 x 64 bytes each: 1.4 MiB
    cases = open_container(tmp_path / "cases.h5", "stream")
    for mebibytes, kind in (("2", Slices), ("1", StreamedSlices), ("", Slices)):
        monkeypatch.setenv(VARIABLE, mebibytes)
        assert type(training_slices(cases, np.arange(70))) is kind
    assert memory_limit() == MEMORY_MIB * 2**20


@pytest.mark.parametrize("text", ["lots", "-1", "1.5"])
def test_a_memory_that_is_no_number_is_a_usage_error(monkeypatch, text):
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(UsageError, match=r"\$MRBENCH_MEMORY_MIB is not a number"):
        memory_limit()


class Pixelwise(Method[Config]):
    """A convolution of one pixel, fitted to the raters' mean."""

    def __init__(self, description: Description):
        super().__init__(Config(), description)
        self.network = nn.Conv2d(2, 1, 1)

    def stages(self):
        groups = [ParameterGroup(list(self.network.parameters()), 0.1)]
        return [Stage(name="s", modules=[self.network], groups=groups, loss=self.loss, epochs=2, batch_size=4)]

    def loss(self, batch):
        return {"square": (self.network(batch.image) - batch.masks.float().mean(1, keepdim=True)).pow(2).mean()}

    def predict(self, image, n, context):
        raise AssertionError("not used")


def test_a_streamed_training_is_bit_identical(tmp_path):
    cases = make_cases([(16, 16)] * 10, augmentation=("flip", "rotate90"))
    write_container(tmp_path / "cases.h5", cases)
    streamed = open_container(tmp_path / "cases.h5", "stream")
    curves = []
    for memory in (None, 0):
        torch.manual_seed(0)
        parts = (training_slices(streamed, indices, memory=memory) for indices in (np.arange(8), np.array([8, 9])))
        curve = fit(Pixelwise(cases.description), *parts, seed=1, device=CPU, raters_present=2)
        curves.append([{name: value for name, value in row.items() if name != "seconds"} for row in curve.rows])
    assert curves[0] == curves[1]
    assert len(curves[0]) == 2
