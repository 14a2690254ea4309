"""A method is a module of torch: what is saved, what may be assigned, and the stage that it has without stages()."""

from pathlib import Path

import pytest
import torch
from torch import nn

from mrbench import Config, Description, Method, Raters, TrainingOptions
from mrbench.errors import PluginError

DESCRIPTION = Description(
    name="x", version="1", classes=("no", "yes"), channels=("c",), raters=Raters.IDENTIFIED, rater_names=("a", "b")
)


class Plain(Method):
    """Two networks, one without parameters, and a parameter and a buffer of its own."""

    def __init__(self, config: Config | None = None):
        super().__init__(config or TrainingOptions(), DESCRIPTION)
        self.body = nn.Conv2d(1, 2, 1)
        self.pool = nn.AvgPool2d(2)
        self.head = nn.Linear(2, 1)
        self.scale = nn.Parameter(torch.randn(3))
        self.register_buffer("seen", torch.zeros(2))

    def loss(self, batch):
        return {"nothing": self.scale.sum()}

    def predict(self, image, n, context):
        raise AssertionError("not used")


class Named(Plain):
    stage_name = "own"


def test_every_submodule_with_weights_has_a_file_and_the_methods_own_another(tmp_path: Path):
    one, other = Plain(), Plain()
    one.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"body.pt", "head.pt", "parameters.pt"}
    assert not torch.equal(one.scale, other.scale)
    other.load(tmp_path)
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


def test_a_file_of_one_submodule_is_its_state_and_nothing_else(tmp_path: Path):
    Plain().save(tmp_path)
    assert set(torch.load(tmp_path / "body.pt", weights_only=True)) == {"weight", "bias"}
    assert set(torch.load(tmp_path / "parameters.pt", weights_only=True)) == {"scale", "seen"}


def test_own_parameters_of_other_names_are_not_loaded(tmp_path: Path):
    method = Plain()
    method.save(tmp_path)
    torch.save({"scale": torch.zeros(3), "other": torch.zeros(1)}, tmp_path / "parameters.pt")
    with pytest.raises(RuntimeError, match="weights of Plain are not those of its parameters: seen, other"):
        method.load(tmp_path)


@pytest.mark.parametrize(
    "name", ["config", "description", "training", "loss", "stages", "predict", "save", "stage_name"]
)
@pytest.mark.parametrize("value", [nn.Linear(1, 1), nn.Parameter(torch.zeros(1))])
def test_a_submodule_may_not_have_a_name_that_the_method_uses(name: str, value: nn.Module):
    with pytest.raises(
        PluginError, match=f"Plain assigns a {type(value).__name__} to '{name}', which is something else"
    ):
        setattr(Plain(), name, value)


def test_no_submodule_can_take_the_file_of_the_methods_own_parameters():
    with pytest.raises(PluginError, match="'parameters'"):
        Plain().parameters = nn.Linear(1, 1)


def test_the_default_stage_trains_every_parameter_as_the_options_say():
    method = Plain(TrainingOptions(epochs=7, batch_size=3, learning_rate=0.5, schedule="constant", patience=None))
    (stage,) = method.stages()
    (group,) = stage.groups
    assert [id(p) for p in group.parameters] == [id(p) for p in method.parameters()]
    assert group.learning_rate == 0.5
    assert list(stage.modules) == [method]
    assert (stage.epochs, stage.batch_size, stage.schedule, stage.patience) == (7, 3, "constant", None)
    assert stage.loss == method.loss


def test_the_default_stage_is_named_by_the_class():
    assert [method.stages()[0].name for method in (Plain(), Named())] == ["Plain", "own"]


def test_submodules_may_have_learning_rates_of_their_own():
    method = Plain()
    rates = {
        id(p): group.learning_rate for group in method.stage(rates={"head": 0.25}).groups for p in group.parameters
    }
    assert {name for name, p in method.named_parameters() if rates[id(p)] == 0.25} == {"head.weight", "head.bias"}
    assert len(rates) == len(list(method.parameters()))


def test_a_stage_of_some_submodules_trains_these_alone():
    method = Plain()
    stage = method.stage(["head"], name="second")
    assert stage.name == "second"
    assert list(stage.modules) == [method.head]
    assert [id(p) for group in stage.groups for p in group.parameters] == [id(p) for p in method.head.parameters()]


def test_options_that_say_nothing_of_training_need_stages():
    with pytest.raises(PluginError, match="nothing says the learning_rate of Plain") as error:
        Plain(Config()).stages()
    assert error.value.expected == "options that derive from mrbench.TrainingOptions, or a method stages()"
    assert error.value.found == "options of class Config"
