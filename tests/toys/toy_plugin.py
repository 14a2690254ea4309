"""A light plugin module: small methods for tests, each with one behaviour of its own."""

from mrbench import DatasetCard, MethodCard, hookimpl

MRBENCH_API = "2"

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
            config=f"toy_config:{name}".replace("-", "_"),
            summary=f"a small method: {name}",
            gives="samples",
            multi_class=False,
            volumes=False,
            presets={"quick": {"epochs": 2}},
        )
        for name in BEHAVIOURS
    ] + [
        MethodCard(name="toy-lacking", code="toy_methods:Toy", config="toy_config:fine", gives="samples raters"),
        MethodCard(
            name="toy-first-edition", code="toy_methods:FirstEdition", config="toy_config:fine", gives="samples"
        ),
    ]


@hookimpl
def mrbench_datasets():
    return [
        DatasetCard(
            name="toy-faulty", code="toy_data:faulty", config="toy_data:FaultConfig", summary="one fault on demand"
        )
    ]


@hookimpl
def mrbench_metrics():
    from toy_metrics import broken

    return [broken]
