"""The released network of TAB said again in plain words: one query, one head, one image at a time.

With the weights of a network of ours; each part is written from the facts of the release (Merrical/TAB, f5b2a10), whose
transformer and mask head are DETR's.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


def attention(module: nn.MultiheadAttention, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """``(q, E)`` from ``(q, E)``, ``(t, E)`` and ``(t, E)``: each head by itself, then the output's projection."""
    weights, biases = module.in_proj_weight.chunk(3), module.in_proj_bias.chunk(3)
    q, k, v = (x @ w.T + b for x, w, b in zip((query, key, value), weights, biases, strict=True))
    size = q.shape[1] // module.num_heads
    heads = []
    for start in range(0, q.shape[1], size):
        own = slice(start, start + size)
        scores = q[:, own] @ k[:, own].T / math.sqrt(size)
        heads.append(torch.softmax(scores, dim=1) @ v[:, own])
    return torch.cat(heads, dim=1) @ module.out_proj.weight.T + module.out_proj.bias


def feedforward(layers: nn.Sequential, x: Tensor) -> Tensor:
    """Two linear layers, ReLU between them; dropout is off in prediction."""
    first, _, _, second = layers
    return second(torch.relu(first(x)))


def positions(height: int, width: int, channels: int) -> Tensor:
    """``(H W, channels)``: rows in the first half, columns in the second, sine and cosine in turn; places from 1."""
    half = channels // 2
    found = torch.zeros(height * width, channels, dtype=torch.float64)
    for y in range(height):
        for x in range(width):
            for i in range(half):
                for axis, (place, length) in enumerate(((y + 1, height), (x + 1, width))):
                    angle = place / (length + 1e-6) * 2 * math.pi / 10_000 ** (2 * (i // 2) / half)
                    found[y * width + x, axis * half + i] = math.cos(angle) if i % 2 else math.sin(angle)
    return found


def maps_of_queries(network: nn.Module, projected: Tensor) -> Tensor:
    """``(Q, heads, h, w)`` from the projected features ``(E, h, w)`` of an image."""
    height, width = projected.shape[1:]
    places = positions(height, width, len(projected))
    x = projected.flatten(1).T  # (T, E)
    first, second = network.encode.norms
    x = first(x + attention(network.encode.own, x + places, x + places, x))
    memory = second(x + feedforward(network.encode.feedforward, x))

    queries = network.queries
    first, second, third = network.decode.norms
    target = torch.zeros_like(queries)
    target = first(target + attention(network.decode.own, target + queries, target + queries, target))
    target = second(target + attention(network.decode.cross, target + queries, memory + places, memory))
    found = network.norm(third(target + feedforward(network.decode.feedforward, target)))

    q = network.maps.query(found)  # (Q, E)
    k = memory @ network.maps.key.weight[:, :, 0, 0].T + network.maps.key.bias  # (T, E)
    heads = network.maps.heads
    size = q.shape[1] // heads
    maps = torch.zeros(len(q), heads, height * width, dtype=q.dtype)
    for query in range(len(q)):
        scores = [k[:, h * size : (h + 1) * size] @ q[query, h * size : (h + 1) * size] for h in range(heads)]
        maps[query] = torch.softmax(torch.cat(scores) / math.sqrt(size), dim=0).view(heads, -1)
    return maps.view(len(q), heads, height, width)


def encoder_maps(encoder: nn.Module, x: Tensor) -> list[Tensor]:
    """The raw first convolution and the four stages."""
    raw = encoder.conv1(x)
    x = functional.max_pool2d(torch.relu(encoder.bn1(raw)), kernel_size=3, stride=2, padding=1)
    found = [raw]
    for stage in (encoder.layer1, encoder.layer2, encoder.layer3, encoder.layer4):
        x = stage(x)
        found.append(x)
    return found


def outputs(network: nn.Module, image: Tensor) -> Tensor:
    """``(Q, outputs, H, W)`` of one image ``(C, H, W)``: mean, diagonal and factors before anything is done to them."""
    raw, one, two, three, four = encoder_maps(network.encoder, image[None])
    projected = network.reduce(four)  # (1, E, h, w)
    found = []
    for maps in maps_of_queries(network, projected[0]):
        x = torch.relu(torch.cat([projected, maps[None]], dim=1))
        for block, skip in zip(network.ups, (three, two, one, raw), strict=True):
            x = block.norm(torch.relu(torch.cat([block.up(x), block.skip(skip)], dim=1)))
        up, norm, _ = network.last
        found.append(network.outputs(torch.relu(norm(up(x))))[0])
    return torch.stack(found)
