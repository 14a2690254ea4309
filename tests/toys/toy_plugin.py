"""A light plugin module: small methods for tests, each with one behaviour of its own."""

from mrbench import DatasetCard, MethodCard, MetricCard, hookimpl

MRBENCH_API = "1"

BEHAVIOURS = (
    "fine", "slow", "raises", "prints", "wrong-shape", "nan", "nothing", "too-few", "unnormalised",
    "nan-loss", "killed", "exits", "no-memory", "loss-is-tensor", "full-disk", "unfit", "check-raises",
    "loss-of-each", "no-gradient", "integers", "array",
    "cannot-build", "asks-weights", "hangs-building", "exits-building", "no-memory-building", "foreign-parameters",
)  # fmt: skip


@hookimpl
def mrbench_methods():
    return [
        MethodCard(
            name=f"toy-{name}",
            code="toy_methods:Toy",
            config="toy_config:ToyConfig",
            summary=f"a small method: {name}",
            gives="samples",
            multi_class=False,
            presets={"paper": {"behaviour": name}, "quick": {"behaviour": name, "epochs": 2}},
        )
        for name in BEHAVIOURS
    ]


@hookimpl
def mrbench_datasets():
    return [
        DatasetCard(
            name="toy-faulty", code="toy_data:Faulty", config="toy_data:FaultConfig", summary="one fault on demand"
        )
    ]


@hookimpl
def mrbench_metrics():
    return [
        MetricCard(
            name="toy-broken",
            code="toy_metrics:Broken",
            summary="a metric that raises",
            direction="higher",
            range=(0, 1),
            needs="samples",
        )
    ]
