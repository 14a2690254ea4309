"""Networks in plain containers are refused when a method is built."""

import pytest
from torch import nn

from mrbench.engine.hidden import refuse_hidden
from mrbench.errors import PluginError


class Owner(nn.Module):
    def __init__(self, value: object):
        super().__init__()
        self.seen = nn.Linear(1, 1)
        self.kept = value


@pytest.mark.parametrize(
    ("value", "container"),
    [
        ([nn.Linear(1, 1)], "list"),
        ((0, nn.Linear(1, 1)), "tuple"),
        ({"a": nn.Linear(1, 1)}, "dict"),
        ({"a": [1, (nn.Linear(1, 1),)]}, "dict"),
        ([nn.Linear(1, 1).weight], "list"),
    ],
)
def test_what_torch_does_not_see_is_named(value: object, container: str):
    with pytest.raises(PluginError, match=rf"Owner\.kept hides a (Linear|Parameter) in a {container}") as error:
        refuse_hidden(Owner(value))
    assert "ModuleList" in str(error.value.hint)


@pytest.mark.parametrize("value", [[], {"a": 1}, "text", nn.ModuleList([nn.Linear(1, 1)])])
def test_other_attributes_are_let_be(value: object):
    refuse_hidden(Owner(value))


def test_what_is_a_submodule_as_well_may_stand_in_a_list():
    owner = Owner(None)
    owner.kept = [owner.seen, owner.seen.weight]
    refuse_hidden(owner)
