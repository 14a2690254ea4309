"""A pixel-wise regression that is right, and what makes it wrong, one fault at a time."""

import math
import os
import pickle
import sys
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.distributions import Independent, Normal
from torch.nn import functional

from mrbench import Method, Noise, ParameterGroup, Probabilities, Stage
from mrbench.interfaces.latents import Latent
from mrbench.nn.losses import cross_entropy, logit_channels, logits_to_probability


class Good(Method):
    """One 1x1 convolution to logits, moved by noise; each rater has a shift."""

    def __init__(self, config, description):
        super().__init__(config, description)
        logits = logit_channels(description.n_classes)
        self.network = nn.Conv2d(len(description.channels), logits, 1)
        self.shifts = nn.Parameter(torch.zeros(description.n_raters, logits, 1, 1))

    def stages(self):
        group = ParameterGroup(list(self.parameters()), self.rate())
        return [Stage(name="only", modules=[self], groups=[group], loss=self.loss, epochs=3, batch_size=4)]

    def rate(self):
        return 0.05

    def loss(self, batch):
        return {"cross_entropy": cross_entropy(self.each(batch), batch.masks, batch.present, batch.counted)}

    def each(self, batch):
        return self.network(batch.image)[:, None] + self.shifts  # (B, R, L, H, W)

    def features(self, x):
        return self.network(x)

    def sample(self, features, noise):
        return self.moved(features, noise.normal("z"))

    def as_rater(self, features, rater, noise):
        return self.moved(features + self.shifts[rater], noise.normal("style"))

    def moved(self, logits, noise):
        return logits + noise[..., None, None, None] * torch.linspace(1, 2, logits.shape[1])[:, None, None]


class NoMethod(nn.Module):
    """Does all that a method does, and is none."""

    stages, loss, each, features, sample = Good.stages, Good.loss, Good.each, Good.features, Good.sample
    rate, as_rater, moved, rater_draws = Good.rate, Good.as_rater, Good.moved, 1
    save, load = Method.save, Method.load

    def __init__(self, config, description):
        super().__init__()
        self.config, self.description = config, description
        self.network = nn.Conv2d(len(description.channels), logit_channels(description.n_classes), 1)
        self.shifts = nn.Parameter(torch.zeros(description.n_raters, self.network.out_channels, 1, 1))


# The card


class Undeclared(Good):
    def consensus(self, features, noise):
        return features[None]


class Lacking(Good):
    """Its card gives a consensus."""


class FirstEdition(Method):
    stages, rate, loss, each = Good.stages, Good.rate, Good.loss, Good.each

    def __init__(self, config, description):
        super().__init__(config, description)
        self.network = nn.Conv2d(len(description.channels), logit_channels(description.n_classes), 1)
        self.shifts = nn.Parameter(torch.zeros(description.n_raters, self.network.out_channels, 1, 1))

    def predict(self, image, n, context):
        yield from ()


class OfRaters(Good):
    """Samples of random raters."""

    sample = Method.sample


class OfCertainRaters(OfRaters):
    def as_rater(self, features, rater, noise):
        return (features + self.shifts[rater])[None]


class HalfTwin(Good):
    """Of one family with Good, and another initial weight."""

    def __init__(self, config, description):
        super().__init__(config, description)
        self.network.bias.data += 1


# Learning


class FailsOn(Good):
    """Fails to learn from one kind of data."""

    def loss(self, batch):
        if self.description.name == f"synthetic-{self.config.fault}":
            raise ValueError("no loss for such data")
        return super().loss(batch)


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

    def stages(self):
        (only,) = super().stages()
        return [replace(only, groups=[ParameterGroup([*self.network.parameters(), self.shifts], self.rate())])]


class CompleteCasesOnly(Good):
    def loss(self, batch):
        complete = batch.present.all(1)
        each, valid = self.each(batch), batch.valid[:, None].expand_as(batch.masks)
        found = torch.stack([cross_entropy(each[b], batch.masks[b], valid=valid[b]) for b in range(len(complete))])
        return {"cross_entropy": (found * complete).sum() / complete.sum()}


class DividesByMarks(Good):
    def loss(self, batch):
        terms = super().loss(batch)
        marked = (batch.judged > 0) & batch.present[:, :, None, None]
        return {**terms, "share": terms["cross_entropy"] * 0.1 / marked.float().mean()}


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


class Unused(Good):
    def __init__(self, config, description):
        super().__init__(config, description)
        self.network.extra = nn.Parameter(torch.ones(2))


class DoesNotLearn(Good):
    """Its loss has gradients and its rate is too small for any step."""

    def rate(self):
        return 1e-12


class ReadsAbsent(Good):
    def loss(self, batch):
        return {"cross_entropy": cross_entropy(self.each(batch), batch.masks, valid=batch.counted)}


class ReadsVoid(Good):
    def loss(self, batch):
        return {"cross_entropy": cross_entropy(self.each(batch), batch.masks, batch.present)}


class ShowsVoid(Good):
    """Its loss leaves void pixels out, and its network sees their labels."""

    def each(self, batch):
        return super().each(batch) + 0.1 * (batch.masks * batch.present[:, :, None, None]).float().mean()


class OtherStages(Good):
    calls = 0

    def stages(self):
        OtherStages.calls += 1
        return [replace(only, name=f"stage-{OtherStages.calls}") for only in super().stages()]


class SystemNoise(Good):
    def loss(self, batch):
        (name, value), *_ = super().loss(batch).items()
        return {name: value + 1e-5 * np.random.default_rng().standard_normal() * self.network.weight.sum()}


class OneTraining(Good):
    def __init__(self, config, description):
        torch.manual_seed(0)
        super().__init__(config, description)

    def loss(self, batch):
        raters = torch.arange(len(self.shifts))[:, None, None, None]
        network = sum(((parameter - 1) ** 2).sum() for parameter in self.network.parameters())
        return {"decay": network + ((self.shifts - raters) ** 2).sum()}


# Answers


class FailsToDraw(Good):
    """Learns from everything, and gives what is no probability on one kind of data."""

    def moved(self, logits, noise):
        probability = logits_to_probability(super().moved(logits, noise), self.description.n_classes)
        wrong = self.description.name == f"synthetic-{self.config.fault}"
        return Probabilities(probability * (3 if wrong else 1))


class OneSlice(Good):
    """Answers for the first slice only."""

    def moved(self, logits, noise):
        return super().moved(logits, noise)[:, :1]


class OneDraw(Good):
    """As many answers as draws, but for raters, of whom one is asked for."""

    def as_rater(self, features, rater, noise):
        return super().as_rater(features, rater, noise)[:1]


class Exits(Good):
    def sample(self, features, noise):
        sys.exit(3)


class TooFew(Good):
    def sample(self, features, noise):
        return super().sample(features, noise)[:-1]


class NoTensor(Good):
    def sample(self, features, noise):
        return super().sample(features, noise).numpy()


class Sigmoid(Good):
    def moved(self, logits, noise):
        moved = super().moved(logits, noise)
        return moved.sigmoid() if moved.shape[2] == 1 else moved.softmax(dim=2)


class SigmoidOfEach(Good):
    """Forgets that there is a softmax to come, whatever the classes."""

    def moved(self, logits, noise):
        return super().moved(logits, noise).sigmoid()


class TwoClassSigmoid(Sigmoid):
    """Its card takes two classes."""


class CentresTheBatch(Good):
    def features(self, x):
        return super().features(x - x.mean(dim=0))


class NormalisesTheCall(Good):
    """BatchNorm by the statistics of whatever is beside a slice."""

    def features(self, x):
        return super().features(functional.batch_norm(x, None, None, training=True))


class AttendsAcross(Good):
    def sample(self, features, noise):
        weight = features.mean(dim=(1, 2, 3)).softmax(dim=0)
        return super().sample(features * weight[:, None, None, None], noise)


class ByNumber(Good):
    def sample(self, features, noise):
        return super().sample(features + 0.1 * noise.draws, noise)


class ByPlace(Good):
    """Draws take turns by their place among those that are made together."""

    def sample(self, features, noise):
        place = torch.arange(noise.draws)[:, None, None, None, None] % 3
        return super().sample(features, noise) + place


class Ranks(Good):
    """Its draws are sorted."""

    def sample(self, features, noise):
        return super().sample(features, noise).sort(dim=0).values


class Copies(Good):
    def sample(self, features, noise):
        return self.moved(features, 3e-7 * noise.normal("z"))


class IgnoresTheRater(Good):
    def as_rater(self, features, rater, noise):
        return super().as_rater(features, 0, noise)


class TwoRatersAlike(Good):
    def as_rater(self, features, rater, noise):
        return super().as_rater(features, min(rater, 1), noise)


class WhispersTheRater(Good):
    def as_rater(self, features, rater, noise):
        return self.moved(features + 1e-6 * self.shifts[rater], noise.normal("style"))


class Inert(Good):
    def sample(self, features, noise):
        return super().sample(features, noise) + 0 * noise.uniform("texture", 1, 1, 1)


class InertForRaters(Good):
    def as_rater(self, features, rater, noise):
        noise.integers("expert", 4)
        return super().as_rater(features, rater, noise)


class OtherSites(Good):
    def as_rater(self, features, rater, noise):
        return self.moved(features + self.shifts[rater], noise.normal(f"style of {rater}"))


class SitesOfMany(Good):
    """Draws a second time where there are many."""

    def sample(self, features, noise):
        more = noise.normal("more") if noise.draws > 2 else 0
        return self.moved(features, noise.normal("z") + more)


# Latents


def gaussian(mean):
    return Independent(Normal(mean, torch.ones_like(mean)), 1)


class Tells(Good):
    """Its posterior is about the share of the image that the rater marks; masks of absent raters are blanked."""

    def encode(self, features, masks, present):
        return {"z": Latent(gaussian(self.share(masks, present)), gaussian(torch.zeros(len(masks), 1, 1)))}

    def share(self, masks, present):
        return (masks * present[:, :, None, None]).float().mean(dim=(2, 3))[..., None]  # (N, R, 1)


class TellsOfOneRater(Tells):
    def share(self, masks, present):
        return super().share(masks, present)[:, :2]


class TellsAnew(Tells):
    def share(self, masks, present):
        return super().share(masks, present) + torch.randn(1)


class Unnormalised(torch.distributions.Independent):
    def log_prob(self, value):
        return super().log_prob(value) + 2


class TellsNoDensity(Tells):
    def encode(self, features, masks, present):
        found = super().encode(features, masks, present)["z"]
        return {"z": Latent(found.posterior, Unnormalised(found.prior.base_dist, 1))}


class TellsOfTheAbsent(Tells):
    def share(self, masks, present):
        return masks.float().mean(dim=(1, 2, 3))[:, None, None].expand(-1, masks.shape[1], 1)


class WritesToFeatures(Good):
    def sample(self, features, noise):
        features += 1
        return super().sample(features, noise)


class WritesToFeaturesAsRater(Good):
    def as_rater(self, features, rater, noise):
        return self.moved(features.add_(self.shifts[rater]), noise.normal("style"))


class StaysInTraining(Good):
    def features(self, x):
        self.train()
        return super().features(x)


class WantsGradients(Good):
    def sample(self, features, noise):
        with torch.enable_grad():
            self.network(torch.zeros(1, self.network.in_channels, 2, 2))
        return super().sample(features, noise)


# Repeating


class Counts(Good):
    calls = 0

    def sample(self, features, noise):
        self.calls += 1
        return super().sample(features + math.sin(self.calls), noise)


class NoSeed(Good):
    def sample(self, features, noise):
        return super().sample(features, Noise(replace(noise.rows, seed=0), noise.device))

    def as_rater(self, features, rater, noise):
        return super().as_rater(features, rater, Noise(replace(noise.rows, seed=0), noise.device))


class SharedNoise(Good):
    def sample(self, features, noise):
        return super().sample(features, Noise(replace(noise.rows, case="one"), noise.device))

    def as_rater(self, features, rater, noise):
        return super().as_rater(features, rater, Noise(replace(noise.rows, case="one"), noise.device))


class CarriesOver(Good):
    """Answers depend on the last other image."""

    now = before = 0.0

    def features(self, x):
        mean = float(x.mean())
        if mean != self.now:
            self.before, self.now = self.now, mean
        return super().features(x) + 10 * self.before


class OneImage(Good):
    """Keeps the image in an attribute, between the draws."""

    def features(self, x):
        self.image = x
        return x

    def sample(self, features, noise):
        return super().sample(self.network(self.image), noise)

    def as_rater(self, features, rater, noise):
        return super().as_rater(self.network(features), rater, noise)


class Unsaved(Good):
    def __init__(self, config, description):
        super().__init__(config, description)
        self.shift = torch.randn(1)

    def features(self, x):
        return super().features(x) + self.shift


class SavesElsewhere(Good):
    def save(self, folder):
        super().save(folder)
        Path("last.txt").write_text(str(folder))


class Pickles(Good):
    def save(self, folder):
        (folder / "weights.pkl").write_bytes(pickle.dumps(OrderedDict(self.named_parameters())))

    def load(self, folder):
        for name, value in pickle.loads((folder / "weights.pkl").read_bytes()).items():
            self.get_parameter(name).data = value.data


# Leaving everything else alone


class SeedsGlobally(Good):
    def sample(self, features, noise):
        np.random.seed(noise.rows.seed)
        return super().sample(features, noise)


class SeedsInTraining(Good):
    def loss(self, batch):
        np.random.seed(0)
        return super().loss(batch)


class ReadsGlobalState(Good):
    def sample(self, features, noise):
        return super().sample(features + float(np.random.get_state()[1][0] % 97), noise)


class Writes(Good):
    def features(self, x):
        Path("cache.txt").write_text(str(x.shape))
        return super().features(x)


class WritesInTraining(Good):
    def loss(self, batch):
        Path("log").mkdir(exist_ok=True)
        return super().loss(batch)


class WritesToImage(Good):
    def features(self, x):
        return super().features(x.clamp_(min=0))


class WritesToBatch(Good):
    def loss(self, batch):
        batch.image.clamp_(min=0)
        return super().loss(batch)


class Peeps(Good):
    """Looks for the masks where the harness keeps them."""

    def features(self, x):
        frame = sys._getframe()
        while frame is not None and "case" not in frame.f_locals:
            frame = frame.f_back
        share = 0.4 if frame is None else float(frame.f_locals["case"].masks.mean())
        return super().features(x) + 40 * (share - 0.4)


class Remembers(Good):
    def __init__(self, config, description):
        super().__init__(config, description)
        self.all = []

    def sample(self, features, noise):
        self.all.append(self.kept(features))
        return super().sample(features, noise)

    def kept(self, features):
        return features.numpy().copy()


class RemembersTensors(Remembers):
    def kept(self, features):
        return features + 1


class StaysBehind(Good):
    """Stands for tensors that are left on the CPU: the accelerator of the test is the CPU under a number."""

    def sample(self, features, noise):
        if noise.device.index is not None:
            raise RuntimeError("tensors on two devices")
        return super().sample(features, noise)


class WantsADevice(Good):
    def loss(self, batch):
        if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
            raise RuntimeError("no CUDA device")
        return super().loss(batch)
