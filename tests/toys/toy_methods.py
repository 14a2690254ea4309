"""A logistic regression on the pixel's brightness, with faults on demand."""

import errno
import os
import signal
import time

import torch
from torch import nn
from torch.nn import functional

from mrbench import Method, ParameterGroup, Probabilities, Stage


class Toy(Method):
    def __init__(self, config, description):
        super().__init__(config, description)
        self.network = nn.Conv2d(len(description.channels), 1, 1)
        misbuild(config.behaviour, self.network)

    def stages(self):
        foreign = nn.Conv2d(1, 1, 3).parameters() if self.config.behaviour == "foreign-parameters" else ()
        group = ParameterGroup([*self.network.parameters(), *foreign], 0.1)
        return [
            Stage(
                name="toy",
                modules=[self.network],
                groups=[group],
                loss=self.loss,
                epochs=self.config.epochs,
                batch_size=8,
            )
        ]

    def loss(self, batch):
        time.sleep(self.config.seconds)
        misbehave(self.config.behaviour)
        logits = self.network(batch.image + 0.01 * torch.randn_like(batch.image))
        loss = functional.binary_cross_entropy_with_logits(logits, batch.masks.float().mean(1, keepdim=True))
        if self.config.behaviour == "loss-is-tensor":
            return loss
        if self.config.behaviour == "loss-of-each":
            return {"cross_entropy": loss * torch.ones(8)}
        if self.config.behaviour == "no-gradient":
            return {"cross_entropy": loss.detach()}
        return {"cross_entropy": loss * (float("nan") if self.config.behaviour == "nan-loss" else 1)}

    def features(self, x):
        return self.network(x)

    def sample(self, features, noise):
        if self.config.behaviour == "nothing":
            return None
        logits = features + noise.normal("pixels", *features.shape[1:]) + self.config.shift
        return spoilt(logits, self.config.behaviour)


class FirstEdition(Method):
    """As classes were before answers."""

    def predict(self, image, n, context):
        yield from ()


def misbuild(behaviour, network):
    if behaviour == "cannot-build":
        raise ValueError("a fault of the author's")
    if behaviour == "asks-weights":
        assert network.weight.sum().item() < 10
    if behaviour == "hangs-building":
        time.sleep(60)
    if behaviour == "exits-building":
        print("the last words", flush=True)
        os._exit(7)
    if behaviour == "no-memory-building":
        raise MemoryError


def misbehave(behaviour):
    if behaviour == "raises":
        raise ValueError("a fault of the author's in [/brackets] and [red]")
    if behaviour == "prints":
        print('{"event": "end", "status": "ok"}')
    if behaviour == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if behaviour == "exits":
        os._exit(7)
    if behaviour == "no-memory":
        raise MemoryError
    if behaviour == "full-disk":
        raise OSError(errno.ENOSPC, "No space left on device")
    if behaviour == "slow":
        time.sleep(0.2)


def spoilt(logits, behaviour):
    if behaviour == "too-few":
        return logits[1:]
    if behaviour == "wrong-shape":
        return logits[..., :-1]
    if behaviour == "nan":
        return logits * float("nan")
    if behaviour == "unnormalised":
        return Probabilities(logits.sigmoid().repeat(1, 1, 2, 1, 1) * 3)
    if behaviour == "integers":
        return logits.long()
    if behaviour == "array":
        return logits.numpy()
    return logits
