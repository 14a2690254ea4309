"""The training loop, on a regression whose answer is known."""

import math
import time
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mrbench import Config, Description, Method, ParameterGroup, Raters, Stage
from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.errors import DivergedError, NotApplicableError, PluginError

CPU = torch.device("cpu")
DESCRIPTION = Description(
    name="x", version="1", classes=("no", "yes"), channels=("c",), raters=Raters.IDENTIFIED, rater_names=("a", "b"),
    augmentation=("flip", "rotate90", "noise"),
)  # fmt: skip


class Mean(Method[Config]):
    """One number per stage, fitted to the mean of the masks by squared error with a little noise."""

    def __init__(self, stages: int = 1, epochs: int = 4, **more: Any):
        super().__init__(Config(), DESCRIPTION)
        self.values = nn.ModuleList([nn.Linear(1, 1, bias=False) for _ in range(stages)])
        for value in self.values:
            nn.init.zeros_(value.weight)
        self.epochs, self.more, self.seen = epochs, more, []

    def stages(self):
        return [
            Stage(
                name=f"stage{i}", modules=[value], groups=[ParameterGroup(list(value.parameters()), 0.1)],
                loss=lambda batch, value=value: self.loss(batch, value), epochs=self.epochs, batch_size=4, **self.more,
            )
            for i, value in enumerate(self.values)
        ]  # fmt: skip

    def loss(self, batch, value):
        self.seen.append(batch)
        target = batch.masks.float().mean() + 0.01 * torch.randn(())
        return {"square": (value.weight - target).pow(2).sum(), "zero": 0 * value.weight.sum()}

    def predict(self, image, n, context):
        raise AssertionError("not used")


def slices(count: int = 10, share: float = 1.0) -> Slices:
    masks = torch.full((count, 2, 4, 4), 1, dtype=torch.uint8)
    masks[int(count * share) :] = 0
    return Slices(torch.zeros(count, 1, 4, 4, dtype=torch.uint8), masks, torch.ones(count, 2, dtype=torch.bool), 255.0)


def run(method: Method[Any], **options: Any) -> Any:
    return fit(
        method, slices(), options.pop("validation", slices(3)), seed=options.pop("seed", 1), device=CPU, **options
    )


def weights(method: Method[Any]) -> list[float]:
    return [p.item() for p in method.parameters()]


def test_it_learns_and_tells_each_epoch():
    method, events = Mean(epochs=30), []
    curve = run(method, report=events.append)
    assert weights(method)[0] == pytest.approx(1.0, abs=0.05)
    assert [row["epoch"] for row in curve.rows] == list(range(30))
    assert curve.rows[-1]["validation/total"] == pytest.approx(
        curve.rows[-1]["validation/square"] + curve.rows[-1]["validation/zero"]
    )
    assert [event["event"] for event in events].count("epoch") == 30
    assert sum(event["event"] == "estimate" for event in events) == 1


def test_the_cosine_schedule_starts_at_the_rate_and_ends_near_zero():
    rates = [row["learning_rate"] for row in run(Mean(epochs=4)).rows]
    assert rates == pytest.approx([0.05 * (1 + math.cos(math.pi * e / 4)) for e in range(4)])


def test_the_weights_of_the_lowest_validation_loss_are_kept():
    method = Mean(epochs=200, schedule="constant")
    curve = run(method, validation=slices(4, share=0.5))  # trained towards 1, validated at 0.5: the best is passed
    best = min(curve.rows, key=lambda row: row["validation/total"])
    assert weights(method)[0] == pytest.approx(0.5, abs=0.11)
    assert best["epoch"] < 50


@pytest.mark.parametrize("patience", [None, 3])
def test_the_last_weights_are_kept_where_a_stage_says_so(patience: int | None):
    method, best = (Mean(epochs=200, schedule="constant", patience=patience, keep=keep) for keep in ("last", "best"))
    validation = slices(4, share=0.5)
    curves = [run(each, validation=validation) for each in (method, best)]
    assert len(curves[0].rows) == len(curves[1].rows)
    assert weights(method)[0] > weights(best)[0]
    if patience is None:
        assert weights(method)[0] == pytest.approx(1, abs=0.05)


def test_patience_ends_a_stage_early():
    curve = run(Mean(epochs=200, schedule="constant", patience=3), validation=slices(4, share=0.5))
    best = min(range(len(curve.rows)), key=lambda i: curve.rows[i]["validation/total"])
    assert len(curve.rows) == best + 1 + 3


def test_the_same_seed_gives_the_same_weights_and_another_one_others():
    first, same, other = Mean(), Mean(), Mean()
    for method, seed in ((first, 1), (same, 1), (other, 2)):
        run(method, seed=seed)
    assert weights(first) == weights(same)
    assert weights(first) != weights(other)


@pytest.mark.parametrize("stop_after", [1, 3, 5, 7])
def test_a_resumed_training_is_bit_identical(tmp_path: Path, stop_after: int):
    whole, halted, resumed = Mean(stages=2), Mean(stages=2), Mean(stages=2)
    reference = run(whole)
    epochs = 0

    def stop(event: dict[str, Any]) -> None:
        nonlocal epochs
        epochs += event["event"] == "epoch"
        if epochs > stop_after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(halted, folder=tmp_path, report=stop, checkpoint_seconds=0)
    curve = run(resumed, folder=tmp_path, checkpoint_seconds=0)
    assert weights(resumed) == weights(whole)
    assert timeless(curve.rows) == timeless(reference.rows)


@pytest.mark.parametrize("asked", [1, 2, 3, 4, 5, 6, 7, 17, 18, 19, 20])
def test_a_training_that_is_asked_to_end_keeps_every_step_and_goes_on_bit_identically(tmp_path: Path, asked: int):
    whole, halted, resumed = (Counted(stages=2) for _ in range(3))
    reference = run(whole)
    answers = iter(range(1, 1000))
    with pytest.raises(SystemExit):
        run(halted, folder=tmp_path, stop=lambda: next(answers) >= asked)
    assert len(list(tmp_path.iterdir())) == 1
    curve = run(resumed, folder=tmp_path)
    assert weights(resumed) == weights(whole)
    assert timeless(curve.rows) == timeless(reference.rows)
    assert halted.steps + resumed.steps == whole.steps, "no step is lost or taken twice"


class Counted(Mean):
    """Knows in how many steps it was trained."""

    steps = 0

    def loss(self, batch, value):
        self.steps += torch.is_grad_enabled()
        return super().loss(batch, value)


def timeless(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def test_a_training_that_is_asked_to_end_before_it_has_a_folder_ends():
    with pytest.raises(SystemExit):
        run(Mean(), stop=lambda: True)


def test_a_resumed_training_with_absent_raters_is_bit_identical(tmp_path: Path):
    whole, halted, resumed = Mean(stages=2), Mean(stages=2), Mean(stages=2)
    mixed = slices()
    mixed.masks[:, 1] = 0  # whom a step draws moves the weights
    options = {"seed": 1, "device": CPU, "raters_present": 1}
    fit(whole, mixed, None, **options)

    def stop(event: dict[str, Any]) -> None:
        if event.get("stage") == "stage1" and event["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(halted, mixed, None, folder=tmp_path, report=stop, checkpoint_seconds=0, **options)
    fit(resumed, mixed, None, folder=tmp_path, checkpoint_seconds=0, **options)
    assert weights(resumed) == weights(whole)
    every = Mean(stages=2)
    fit(every, mixed, None, seed=1, device=CPU)
    assert weights(every) != weights(whole)


def present_by_epoch(method: Mean, train: Slices) -> np.ndarray:
    # (epochs, N, R), the slices told apart by their brightness
    found = np.zeros((method.epochs, len(train), train.present.shape[1]), bool)
    steps = math.ceil(len(train) / 4)
    for number, batch in enumerate(method.seen):
        rows = (batch.image[:, 0, 0, 0] * 255).round().long()
        found[number // steps, rows] = batch.present
        assert not batch.masks[~batch.present].any(), "masks of absent raters are zero"
    return found


def test_each_step_has_so_many_raters_of_each_image_drawn_anew():
    method, train = Mean(epochs=6), slices(200)
    method.description = replace(DESCRIPTION, augmentation=())
    train.image[:] = torch.arange(200)[:, None, None, None]
    train.present[:5, 0] = False
    fit(method, train, None, seed=0, device=CPU, raters_present=1)
    found = present_by_epoch(method, train)
    assert (found.sum(axis=2) == 1).all()
    assert (found[:, :5] == [False, True]).all(), "who never looked stays absent"
    for one, other in pairwise(found):
        assert 0.35 < (one[5:] != other[5:]).any(axis=1).mean() < 0.65  # one of two at random: half of them change
    assert (train.present.sum(axis=1) == torch.tensor([1] * 5 + [2] * 195)).all(), "the slices are left as they were"


def test_validation_keeps_all_raters():
    method = Mean()
    seen: list[int] = []
    method.loss = lambda batch, value: seen.append(int(batch.present.sum())) or {"square": value.weight.pow(2).sum()}
    run(method, raters_present=1)
    assert seen == [4, 4, 2, 6] * method.epochs  # 10 slices with one rater each in three steps, 3 with both


def test_as_many_raters_as_there_are_is_the_training_without_absent_ones():
    some, every = Mean(), Mean()
    run(every)
    run(some, raters_present=2)
    assert weights(some) == weights(every)


def test_a_stage_sees_the_slices_whose_drawn_raters_it_uses():
    method = Mean(epochs=50, uses=lambda present: present[:, 0])
    curve = fit(method, slices(2), None, seed=0, device=CPU, raters_present=1)
    assert all(batch.present[:, 0].all() for batch in method.seen)
    assert 25 < len(curve.rows) < 45, "an epoch without any is passed over: a quarter of them"
    assert sum(len(batch.image) for batch in method.seen) == pytest.approx(50, abs=15)
    with pytest.raises(PluginError, match="no training slices"):
        fit(Mean(uses=lambda present: present.all(axis=1)), slices(), None, seed=0, device=CPU, raters_present=1)


def test_an_epoch_that_is_passed_over_is_none_that_patience_counts():
    method = Mean(epochs=50, schedule="constant", patience=1, uses=lambda present: present[:, 0])
    validation = slices(1)
    method.loss = lambda batch, value: {"rises": (value.weight - 100).pow(2).sum()}  # falls in every epoch
    passed = len(fit(method, slices(1), validation, seed=0, device=CPU, raters_present=1).rows)
    assert 15 < passed < 35


def test_the_global_generator_is_left_as_it_was():
    method = Mean()
    before = torch.random.get_rng_state()
    run(method)
    assert torch.equal(before, torch.random.get_rng_state())


def test_threads_change_nothing_from_one_training_to_the_next():
    # The gradient of indexing adds up in the order in which threads arrive, unless told otherwise.
    indices = torch.randint(4, (200_000,), generator=torch.Generator().manual_seed(0))
    factors = torch.randn(200_000, generator=torch.Generator().manual_seed(1))
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    found = set()
    for _ in range(8):
        method = Mean()
        method.values[0].weight = nn.Parameter(torch.zeros(4))
        method.loss = lambda batch, value: {"sum": (value.weight[indices] * factors).exp().mean()}
        run(method)
        found.add(tuple(method.values[0].weight.tolist()))
    torch.set_num_threads(threads)
    assert len(found) == 1
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_method_without_convolutions_of_mrbench_cannot_train_in_bf16():
    with pytest.raises(NotApplicableError, match=r"Mean cannot train in bf16: .* mrbench\.nn") as error:
        run(Mean(), precision="bf16")
    assert error.value.hint == "--precision float32"


def test_only_the_stages_own_parameters_move():
    method = Mean(stages=2)
    method.epochs = 1
    run(method)
    trained = [p.requires_grad for p in method.parameters()]
    assert trained == [False, True]


def test_a_stage_whose_raters_saw_no_validation_slice_keeps_its_last_weights():
    unseen = slices(3)
    unseen.present[:] = False
    curve = run(Mean(), validation=unseen)
    assert "validation/total" not in curve.rows[0]


def test_two_stages_of_one_name_are_refused():
    method = Mean(stages=2)
    stages = [replace(stage, name="same") for stage in method.stages()]
    method.stages = lambda: stages
    with pytest.raises(PluginError, match="two stages of one name"):
        run(method)


def test_a_parameter_that_is_not_the_methods_is_not_trained():
    method, other = Mean(), nn.Linear(2, 3)
    (stage,) = method.stages()
    strange = replace(stage, groups=[*stage.groups, ParameterGroup([other.weight], 0.1)])
    method.stages = lambda: [strange]
    with pytest.raises(PluginError, match="stage 'stage0' of Mean trains what is not the method's") as error:
        run(method)
    assert error.value.found == "1 of 2 are not, the first of shape (3, 2)"


def test_the_estimate_is_of_all_stages(monkeypatch: pytest.MonkeyPatch):
    ticks = count()  # a clock that goes on by a second at every look
    clock = SimpleNamespace(perf_counter=lambda: float(next(ticks)), monotonic=time.monotonic)
    monkeypatch.setattr("mrbench.engine.fit.time", clock)
    seconds = []
    for stages in (1, 4):
        events = []
        run(Mean(stages=stages, epochs=50, schedule="constant"), report=events.append)
        seconds.append(next(event["seconds"] for event in events if event["event"] == "estimate"))
    assert seconds[1] == pytest.approx(4 * seconds[0])


def test_a_checkpoint_that_cannot_be_read_starts_anew(tmp_path: Path):
    (tmp_path / f"stage000-epoch000001-{'0' * 64}.pt").write_bytes(b"damaged")
    first, second = Mean(), Mean()
    run(first)
    run(second, folder=tmp_path)
    assert weights(first) == weights(second)


def test_a_stage_uses_the_slices_that_it_asks_for():
    method = Mean(uses=lambda present: present[:, 0])
    some = slices()
    some.present[3:, 0] = False
    fit(method, some, None, seed=0, device=CPU)
    assert sum(len(batch.image) for batch in method.seen) == 3 * method.epochs
    some.present[:, 0] = False
    with pytest.raises(PluginError, match="no training slices"):
        fit(method, some, None, seed=0, device=CPU)


@pytest.mark.parametrize("fault", [float("nan"), float("inf")])
def test_a_non_finite_loss_says_where(fault: float):
    method = Mean()
    method.loss = lambda batch, value: {"good": value.weight.sum(), "bad": value.weight.sum() * fault}
    with pytest.raises(DivergedError, match="epoch 0, step 0") as error:
        run(method)
    assert "bad = nan" in error.value.message


def test_a_non_finite_gradient_of_a_finite_loss_is_caught():
    method = Mean()
    method.loss = lambda batch, value: {"root": value.weight.abs().sqrt().sum()}  # at 0: value 0, slope infinite
    with pytest.raises(DivergedError, match="gradient"):
        run(method)


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ({}, "an empty mapping"),
        (None, "None"),
        (torch.zeros(()), "a tensor of shape ()"),
        ({"good": torch.zeros(()), "map": torch.zeros(2, 3)}, "'map' is a tensor of shape (2, 3)"),
        ({"float": 1.5}, "'float' is 1.5"),
    ],
)
def test_a_loss_that_is_not_a_set_of_named_scalars_is_refused(terms: Any, found: str):
    method = Mean()
    method.loss = lambda batch, value: terms
    with pytest.raises(
        PluginError, match=r"the loss of stage 'stage0' of Mean .* named terms \(.*test_fit.py:"
    ) as error:
        run(method)
    assert (error.value.expected, error.value.found) == ("a mapping of names to scalar tensors", found)


def test_a_loss_without_a_gradient_is_refused():
    method = Mean()
    method.loss = lambda batch, value: {"square": value.weight.detach().sum()}
    with pytest.raises(PluginError, match="of Mean depends on no parameter that the stage trains"):
        run(method)


def test_the_curve_is_a_table(tmp_path: Path):
    run(Mean(stages=2, epochs=2)).write(tmp_path / "curves.csv")
    lines = (tmp_path / "curves.csv").read_text().splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("stage,epoch,learning_rate,train/square,train/zero,train/total,validation/square")


def test_batches_carry_normalised_images():
    some = slices(2)
    some.image[:] = 51
    batch = some.batch(torch.tensor([1]), CPU)
    assert batch.image.dtype == torch.float32
    assert np.unique(batch.image.numpy()).tolist() == pytest.approx([0.2])
    assert batch.masks.dtype == torch.int64


class Fused(Mean):
    """Learns from one label of each slice, where any rater marked it; notes whose masks it fused."""

    def __init__(self, **more: Any):
        self.asked: list[np.ndarray] = []
        super().__init__(fuse=self.fuse, **more)
        self.description = replace(DESCRIPTION, augmentation=("flip", "rotate90"))

    def fuse(self, masks: np.ndarray, present: np.ndarray) -> np.ndarray:
        self.asked.append(present.copy())
        return masks.max(axis=1)


def marked_slices(count: int = 10) -> Slices:
    """Two raters' masks; the image is their union."""
    masks = torch.from_numpy((np.random.default_rng(0).random((count, 2, 4, 4)) < 0.3).astype(np.uint8))
    union = masks.amax(dim=1, keepdim=True)
    return Slices(union * 255, masks, torch.ones(count, 2, dtype=torch.bool), 255.0)


def test_a_stage_that_fuses_is_asked_once_and_its_labels_are_augmented_as_the_images_are():
    method = Fused(stages=2, epochs=5)
    fit(method, marked_slices(), marked_slices(3), seed=0, device=CPU)
    assert [len(present) for present in method.asked] == [3, 10, 3, 10], "validation and training of each stage"
    for batch in method.seen:
        assert batch.masks.shape[1:] == (1, 4, 4)
        assert batch.present.shape == (len(batch.image), 1)
        assert batch.present.all()
        assert torch.equal(batch.masks[:, 0], batch.image[:, 0].long())
    distinct = {tuple(batch.masks.flatten().tolist()) for batch in method.seen}
    assert len(distinct) > 20, "they are not always the same way round"


def test_a_stage_fuses_the_raters_that_an_epoch_has():
    method = Fused(epochs=5)
    fit(method, marked_slices(), marked_slices(3), seed=0, device=CPU, raters_present=1)
    assert [present.sum(axis=1).max() for present in method.asked] == [2, 1, 1, 1, 1, 1], "validation first"
    assert len({present.tobytes() for present in method.asked[1:]}) > 1


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (lambda masks, present: masks, "uint8 (10, 2, 4, 4)"),
        (lambda masks, present: masks[:, 0].astype(np.int64), "int64 (10, 4, 4)"),
        (lambda masks, present: None, "NoneType"),
    ],
)
def test_a_stage_that_fuses_to_something_else_is_refused(labels: Any, found: str):
    with pytest.raises(PluginError) as error:
        fit(Mean(fuse=labels), marked_slices(), None, seed=0, device=CPU)
    assert error.value.message.splitlines() == [
        "a stage's fuse() does not give a label of each slice",
        "  expected: uint8 (10, 4, 4)",
        f"  found:    {found}",
    ]
