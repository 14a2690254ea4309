"""The costs of several trainings together."""

from mrbench.engine.costs import cost_of


def training(seconds: float, epochs: int, *, resumed: bool = False, shared: bool = False) -> dict:
    facts = {
        "parameters": 100, "epochs": epochs, "seconds_per_epoch": seconds / epochs, "training_slices": 7,
        "resumed": resumed, "trained_on_shared_device": shared,
    }  # fmt: skip
    return {"fit": {"seconds": seconds, "peak_memory_mib": 10 * seconds}, "facts": facts}


def test_one_training_costs_what_it_says():
    one = training(6.0, 3, resumed=True)
    assert cost_of([one]) == (one["fit"], one["facts"])


def test_seconds_parameters_and_epochs_are_summed_and_memory_is_the_most():
    fit, facts = cost_of([training(6.0, 3), training(2.0, 1, shared=True)])
    assert fit == {"seconds": 8.0, "peak_memory_mib": 60.0}
    assert (facts["parameters"], facts["epochs"], facts["seconds_per_epoch"]) == (200, 4, 2.0)
    assert (facts["training_slices"], facts["resumed"], facts["trained_on_shared_device"]) == (7, False, True)
