"""A pixel-wise regression that is right, and what makes it wrong, one fault at a time."""

import os
import pickle
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from mrbench import Draw, DrawKind, Method, ParameterGroup, Stage
from mrbench.nn.losses import logits_to_probability
from mrbench.nn.slices import from_slices, run_by_slices


class Good(Method):
    """One 1x1 convolution to logits; samples and rater predictions add noise to them."""

    def __init__(self, config, description):
        super().__init__(config, description)
        classes = description.n_classes
        self.network = nn.Conv2d(len(description.channels), 1 if classes == 2 else classes, 1)

    def stages(self):
        group = ParameterGroup(list(self.network.parameters()), self.rate())
        return [Stage(name="only", modules=[self.network], groups=[group], loss=self.loss, epochs=3, batch_size=4)]

    def rate(self):
        return 0.05

    def loss(self, batch):
        logits = self.network(batch.image)
        probability = torch.cat([-logits, logits], 1) if logits.shape[1] == 1 else logits  # (B, K, H, W)
        terms = [functional.cross_entropy(probability, batch.masks[:, r], reduction="none") for r in range(3)]
        weight = batch.present.float()[:, :, None, None]
        return {"cross_entropy": (torch.stack(terms, 1) * weight).sum() / weight.expand_as(batch.masks).sum()}

    def predict(self, image, n, context):
        logits = run_by_slices(self.network, image.array, context.device)
        for rater in range(3):
            yield self.draw(DrawKind.RATER, image, logits, context.noise(image, "rater", rater), rater)
        for draw in range(n):
            yield self.draw(DrawKind.SAMPLE, image, logits, self.noise(image, context, draw, n))

    def noise(self, image, context, draw, n):
        return context.noise(image, "sample", draw)

    def draw(self, kind, image, logits, noise, rater=None):
        moved = logits + float(noise.standard_normal()) * torch.linspace(1, 2, logits.shape[1])[:, None, None]
        probability = logits_to_probability(moved, self.description.n_classes)
        return Draw(kind, from_slices(probability, image.array.ndim), rater)


class NoMethod(nn.Module):
    """Does all that a method does, and is none."""

    stages, loss, predict = Good.stages, Good.loss, Good.predict
    rate, noise, draw = Good.rate, Good.noise, Good.draw
    save, load = Method.save, Method.load

    def __init__(self, config, description):
        super().__init__()
        self.config, self.description = config, description
        classes = description.n_classes
        self.network = nn.Conv2d(len(description.channels), 1 if classes == 2 else classes, 1)


class Undeclared(Good):
    def predict(self, image, n, context):
        yield from super().predict(image, n, context)
        yield self.draw(DrawKind.CONSENSUS, image, run_by_slices(self.network, image.array, context.device), Silence())


class Silence:
    def standard_normal(self):
        return 0.0


class FailsOn(Good):
    """Fails to learn from one kind of data."""

    def loss(self, batch):
        if self.description.name == f"synthetic-{self.config.fault}":
            raise ValueError("no loss for such data")
        return super().loss(batch)


class FailsToDraw(Good):
    """Learns from everything, and draws what is no probability on one kind of data."""

    def draw(self, kind, image, logits, noise, rater=None):
        made = super().draw(kind, image, logits, noise, rater)
        wrong = self.description.name == f"synthetic-{self.config.fault}"
        return Draw(kind, made.probability * (3 if wrong else 1), rater)


class OneChannel(Good):
    def __init__(self, config, description):
        super().__init__(config, description)
        self.network = nn.Conv2d(1, self.network.out_channels, 1)


class EvenSizes(Good):
    def __init__(self, config, description):
        super().__init__(config, description)
        self.network = nn.Sequential(nn.AvgPool2d(2), self.network, nn.Upsample(scale_factor=2))


class NormalisesTheBatch(Good):
    def __init__(self, config, description):
        super().__init__(config, description)
        self.whole = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(len(description.channels)))

    def loss(self, batch):
        self.whole.train(self.network.training)
        return {**super().loss(batch), "whole": 0 * self.whole(batch.image).sum()}


class CompleteCasesOnly(Good):
    def loss(self, batch):
        complete = batch.present.all(1)
        weight = complete.float()[:, None, None, None]
        logits = self.network(batch.image)
        probability = torch.cat([-logits, logits], 1) if logits.shape[1] == 1 else logits
        found = functional.cross_entropy(probability, batch.masks[:, 0], reduction="none")[:, None] * weight
        return {"cross_entropy": found.sum() / weight.expand_as(found).sum()}


class DividesByMarks(Good):
    def loss(self, batch):
        terms = super().loss(batch)
        marked = (batch.masks > 0) & batch.present[:, :, None, None]
        return {**terms, "share": terms["cross_entropy"] * 0.1 / marked.float().mean()}


class SliceOfVolume(Good):
    def draw(self, kind, image, logits, noise, rater=None):
        made = super().draw(kind, image, logits, noise, rater)
        return Draw(kind, made.probability if made.probability.ndim == 3 else made.probability[:, 0], rater)


class Exits(Good):
    def predict(self, image, n, context):
        sys.exit(3)


class TooFew(Good):
    def predict(self, image, n, context):
        yield from list(super().predict(image, n, context))[:-1]


class HidesInAList(Good):
    def __init__(self, config, description):
        super().__init__(config, description)
        self.heads = [nn.Conv2d(1, 1, 1)]


class HidesItsLoss(Good):
    def __init__(self, config, description):
        super().__init__(config, description)
        self.loss = nn.CrossEntropyLoss()


class TrainsAnothers(Good):
    """Trains a parameter of a module of Python's, not of its own."""

    other = nn.Linear(2, 3).weight

    def stages(self):
        (only,) = super().stages()
        only.groups.append(ParameterGroup([self.other], 0.1))
        return [only]


class StaysInTraining(Good):
    def predict(self, image, n, context):
        self.train()
        yield from super().predict(image, n, context)


class WantsGradients(Good):
    def draw(self, kind, image, logits, noise, rater=None):
        with torch.enable_grad():
            self.network(torch.zeros(1, self.network.in_channels, 2, 2))
        return super().draw(kind, image, logits, noise, rater)


class Unused(Good):
    def __init__(self, config, description):
        super().__init__(config, description)
        self.network.extra = nn.Parameter(torch.ones(2))


class DoesNotLearn(Good):
    def rate(self):
        return 0.0


class ReadsAbsent(Good):
    def loss(self, batch):
        logits = self.network(batch.image)
        probability = torch.cat([-logits, logits], 1) if logits.shape[1] == 1 else logits
        return {"mean": sum(functional.cross_entropy(probability, batch.masks[:, r]) for r in range(3)) / 3}


class OtherStages(Good):
    calls = 0

    def stages(self):
        OtherStages.calls += 1
        (only,) = super().stages()
        only.__dict__["name"] = f"stage-{OtherStages.calls}"
        return [only]


class SystemNoise(Good):
    def loss(self, batch):
        (name, value), *_ = super().loss(batch).items()
        return {name: value + 1e-5 * np.random.default_rng().standard_normal() * self.network.weight.sum()}


class OneTraining(Good):
    def __init__(self, config, description):
        torch.manual_seed(0)
        super().__init__(config, description)

    def loss(self, batch):
        return {"decay": sum(((parameter - 1) ** 2).sum() for parameter in self.network.parameters())}


class Counts(Good):
    calls = 0

    def noise(self, image, context, draw, n):
        self.calls += 1
        return context.noise(image, "sample", draw, self.calls)


class NoSeed(Good):
    def predict(self, image, n, context):
        yield from super().predict(image, n, type(context)(0, context.device, context.sampler))


class ByNumber(Good):
    def noise(self, image, context, draw, n):
        return context.noise(image, "sample", draw, n)


class CarriesOver(Good):
    """Draws depend on the last other image."""

    now = before = ("", 0.0)

    def predict(self, image, n, context):
        if image.id != self.now[0]:
            self.before, self.now = self.now, (image.id, float(image.array.mean()))
        yield from super().predict(image, n, context)

    def draw(self, kind, image, logits, noise, rater=None):
        return super().draw(kind, image, logits + 10 * self.before[1], noise, rater)


class OneImage(Good):
    """Keeps the image in an attribute, between the draws."""

    def predict(self, image, n, context):
        self.image = image
        for rater in range(3):
            yield self.of(DrawKind.RATER, context, context.noise(self.image, "rater", rater), rater)
        for draw in range(n):
            yield self.of(DrawKind.SAMPLE, context, context.noise(self.image, "sample", draw))

    def of(self, kind, context, noise, rater=None):
        logits = run_by_slices(self.network, self.image.array, context.device)
        return self.draw(kind, self.image, logits, noise, rater)


class SharedNoise(Good):
    def predict(self, image, n, context):
        yield from super().predict(type(image)("one", image.array, image.spacing), n, context)


class Copies(Good):
    def noise(self, image, context, draw, n):
        return context.noise(image, "sample")


class Unsaved(Good):
    def __init__(self, config, description):
        super().__init__(config, description)
        self.shift = torch.randn(1)

    def draw(self, kind, image, logits, noise, rater=None):
        return super().draw(kind, image, logits + self.shift, noise, rater)


class SavesElsewhere(Good):
    def save(self, folder):
        super().save(folder)
        Path("last.txt").write_text(str(folder))


class Pickles(Good):
    def save(self, folder):
        (folder / "weights.pkl").write_bytes(pickle.dumps(OrderedDict(vars(self.network.cpu())["_parameters"])))

    def load(self, folder):
        for name, value in pickle.loads((folder / "weights.pkl").read_bytes()).items():
            getattr(self.network, name).data = value.data


class SeedsGlobally(Good):
    def predict(self, image, n, context):
        np.random.seed(context.seed)
        yield from super().predict(image, n, context)


class SeedsInTraining(Good):
    def loss(self, batch):
        np.random.seed(0)
        return super().loss(batch)


class ReadsGlobalState(Good):
    def noise(self, image, context, draw, n):
        return context.noise(image, "sample", draw, int(np.random.get_state()[1][0]))


class Writes(Good):
    def predict(self, image, n, context):
        Path("cache.txt").write_text(image.id)
        yield from super().predict(image, n, context)


class WritesInTraining(Good):
    def loss(self, batch):
        Path("log").mkdir(exist_ok=True)
        return super().loss(batch)


class WritesToImage(Good):
    def predict(self, image, n, context):
        np.maximum(image.array, 0, out=image.array)
        yield from super().predict(image, n, context)


class WritesToBatch(Good):
    def loss(self, batch):
        batch.image.clamp_(min=0)
        return super().loss(batch)


class Peeps(Good):
    """Looks for the masks where the harness keeps them."""

    def draw(self, kind, image, logits, noise, rater=None):
        frame = sys._getframe()
        while frame is not None and "case" not in frame.f_locals:
            frame = frame.f_back
        case = None if frame is None else frame.f_locals["case"]
        share = 0.0 if case is None or case.id != image.id else float(case.masks.mean())
        return super().draw(kind, image, logits + 40 * (share - 0.4), noise, rater)


class Remembers(Good):
    def __init__(self, config, description):
        super().__init__(config, description)
        self.all = []

    def draw(self, kind, image, logits, noise, rater=None):
        made = super().draw(kind, image, logits, noise, rater)
        self.all.append(made)
        return made


class RemembersTensors(Remembers):
    def draw(self, kind, image, logits, noise, rater=None):
        self.all.append(logits + 1)
        return Good.draw(self, kind, image, logits, noise, rater)


class StaysBehind(Good):
    """Stands for tensors that are left on the CPU: the accelerator of the test is the CPU under a number."""

    def predict(self, image, n, context):
        if context.device.index is not None:
            raise RuntimeError("tensors on two devices")
        yield from super().predict(image, n, context)


class WantsADevice(Good):
    def loss(self, batch):
        if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
            raise RuntimeError("no CUDA device")
        return super().loss(batch)
