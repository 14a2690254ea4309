from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from mrbench.errors import UsageError
from mrbench.nn.backbone import Backbone, build_backbone
from mrbench.nn.mit_unet import MiTUNet
from mrbench.nn.mix_transformer import Block, EfficientAttention, MixFeedForward, MixTransformer, as_maps, as_tokens

Count = Callable[[nn.Module], int]

SIZE = torch.Size((4, 6))


@pytest.fixture(scope="module")
def encoder() -> MixTransformer:
    return MixTransformer(3)


def test_the_encoder_has_the_published_number_of_parameters(encoder: MixTransformer, count: Count) -> None:
    # Of a stage: patches k^2 in d + 3 d; blocks of 12 d^2 + 53 d, with reduced keys r^2 d^2 + 3 d more; 2 d at its end.
    stages = [(3, 64, 7, 3, 8), (64, 128, 3, 4, 4), (128, 320, 3, 6, 2), (320, 512, 3, 3, 1)]
    total = 0
    for inner, d, kernel, depth, reduction in stages:
        reducing = reduction**2 * d**2 + 3 * d if reduction > 1 else 0
        total += kernel**2 * inner * d + 3 * d + depth * (12 * d**2 + 53 * d + reducing) + 2 * d
    assert count(encoder) == total == 24_196_288  # 24.2 M in table 1a; 24.7 M with the classifier of 1000 classes
    assert round((total + 512 * 1000 + 1000) / 1e6, 1) == 24.7


def test_the_network_of_maps_has_the_decoder_that_resnet_34_has(count: Count) -> None:
    # A level from a to b maps: 9 b (a + b) + 4 b; the skip connections are of 320, 128 and 64 maps.
    levels = [(512 + 320, 256), (256 + 128, 128), (128 + 64, 64), (64, 32), (32, 16)]
    decoder = sum(9 * b * (a + b) + 4 * b for a, b in levels)
    assert count(MiTUNet(3)) == 24_196_288 + decoder
    assert count(MiTUNet(1)) == 24_196_288 + decoder - 2 * 64 * 7 * 7 == 27_470_592


def test_the_parameters_have_their_released_names_and_shapes(encoder: MixTransformer) -> None:
    shapes = {name: tuple(value.shape) for name, value in encoder.state_dict().items()}
    released = {
        "patch_embed1.proj.weight": (64, 3, 7, 7),
        "patch_embed4.norm.bias": (512,),
        "block1.2.attn.sr.weight": (64, 64, 8, 8),
        "block2.3.attn.norm.weight": (128,),
        "block3.5.attn.kv.weight": (640, 320),
        "block4.0.attn.q.bias": (512,),
        "block4.2.mlp.dwconv.dwconv.weight": (2048, 1, 3, 3),
        "block1.0.mlp.fc1.weight": (256, 64),
        "norm3.weight": (320,),
    }
    assert released.items() <= shapes.items()
    assert not any("block4" in name and ".sr." in name for name in shapes)


def test_the_maps_are_at_a_quarter_to_a_thirtysecond(encoder: MixTransformer) -> None:
    with torch.no_grad():
        maps = encoder.eval()(torch.rand(1, 3, 64, 96))
    assert [tuple(m.shape[1:]) for m in maps] == [(64, 16, 24), (128, 8, 12), (320, 4, 6), (512, 2, 3)]


def test_attention_without_reduction_is_the_usual_multi_head_attention() -> None:
    own, usual = EfficientAttention(16, heads=4, reduction=1), nn.MultiheadAttention(16, 4, batch_first=True)
    with torch.no_grad():
        usual.in_proj_weight.copy_(torch.cat([own.q.weight, own.kv.weight]))
        usual.in_proj_bias.copy_(torch.cat([own.q.bias, own.kv.bias]))
        usual.out_proj.load_state_dict(own.proj.state_dict())
    tokens = torch.rand(2, 24, 16)
    assert torch.allclose(own(tokens, SIZE), usual(tokens, tokens, tokens)[0], atol=1e-5)


def test_reduced_keys_are_those_of_the_coarser_map() -> None:
    own = EfficientAttention(8, heads=2, reduction=2)
    tokens = torch.rand(1, 24, 8)
    coarse = as_tokens(own.sr(as_maps(tokens, SIZE)))
    assert coarse.shape == (1, 6, 8)
    key, value = own.kv(own.norm(coarse)).chunk(2, dim=2)
    heads = []
    for part in (slice(0, 4), slice(4, 8)):
        weights = (own.q(tokens)[..., part] @ key[..., part].mT / 4**0.5).softmax(dim=2)
        heads.append(weights @ value[..., part])
    assert torch.allclose(own(tokens, SIZE), own.proj(torch.cat(heads, dim=2)), atol=1e-6)


def test_the_feed_forward_part_sees_its_neighbours_and_no_further() -> None:
    part = MixFeedForward(4)
    tokens = torch.rand(1, 24, 4, requires_grad=True)
    part(tokens, SIZE)[0, 7].sum().backward()  # row 1, column 1
    assert tokens.grad is not None
    seen = as_maps(tokens.grad, SIZE)[0].abs().sum(dim=0) > 0
    assert seen.nonzero().tolist() == [[row, column] for row in range(3) for column in range(3)]


def test_tokens_and_maps_are_each_others_inverse() -> None:
    maps = torch.rand(2, 5, *SIZE)
    assert torch.equal(as_maps(as_tokens(maps), SIZE), maps)
    assert torch.equal(as_tokens(maps)[:, 7], maps[:, :, 1, 1])


def test_a_branch_that_is_left_out_leaves_its_input_and_scales_the_others() -> None:
    block, x = Block(8, 2, 1, drop=0.5), torch.rand(400, 8, 2, 2)
    nn.init.zeros_(block.mlp.fc2.weight)
    nn.init.zeros_(block.mlp.fc2.bias)
    branch = block.eval()(x) - x
    change = block.train()(x) - x
    left_out = change.flatten(1).abs().amax(dim=1) < 1e-7
    assert 0.4 < left_out.float().mean() < 0.6
    assert torch.allclose(change[~left_out], 2 * branch[~left_out], atol=1e-5)


def test_weights_of_a_local_file_are_taken_without_their_classifier(tmp_path: Path, encoder: MixTransformer) -> None:
    state = encoder.state_dict() | {"head.weight": torch.zeros(1000, 512), "head.bias": torch.zeros(1000)}
    torch.save(state, tmp_path / "mit_b2.pt")
    network = build_backbone(Backbone(name="mit-b2", weights=tmp_path / "mit_b2.pt"), 1)
    assert isinstance(network, MiTUNet)
    rgb = encoder.get_parameter("patch_embed1.proj.weight")
    assert torch.allclose(network.encoder.get_parameter("patch_embed1.proj.weight")[:, 0], rgb.sum(dim=1))
    assert torch.equal(network.encoder.get_parameter("norm4.weight"), encoder.get_parameter("norm4.weight"))


def test_weights_of_another_encoder_are_refused(tmp_path: Path) -> None:
    torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "resnet34.pt")
    with pytest.raises(UsageError, match="does not fit MiT-B2") as caught:
        build_backbone(Backbone(name="mit-b2", weights=tmp_path / "resnet34.pt"), 1)
    assert "patch_embed1.proj.weight of shape (64, 1, 7, 7)" in str(caught.value.expected)
