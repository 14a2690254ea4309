"""A trained method from Python: what a finished cell predicts, for any image."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mrbench.arguments import StrPath, paths_of
from mrbench.data.case import Case, Image
from mrbench.data.description import Description
from mrbench.data.normalisation import normalise
from mrbench.digests import digest_arrays
from mrbench.engine.build import TRAINED, WEIGHTS, load_weights, method_of
from mrbench.engine.cell import CellSpec, Status
from mrbench.engine.devices import torch_device
from mrbench.engine.from_file import filled_methods
from mrbench.engine.initial import untrained
from mrbench.engine.model_file import ModelFile, read_model_file
from mrbench.engine.predict import Predictor
from mrbench.engine.record import read_record, reproduce
from mrbench.engine.required import Trained, admitted
from mrbench.engine.run import open_run
from mrbench.engine.source import source_of
from mrbench.errors import DataError, MrbenchError, UnknownNameError, UsageError
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.metrics.tables import binarise
from mrbench.registry import Registry, discover_with_warnings

if TYPE_CHECKING:
    from mrbench.engine.draws import Answering
    from mrbench.interfaces.method import Method


class HasFolder(Protocol):
    """Whatever says where a cell lies, such as a result."""

    @property
    def folder(self) -> Path | None: ...


def load_model(
    cell: StrPath | HasFolder,
    *,
    device: str = "auto",
    plugin_files: StrPath | Iterable[StrPath] = (),
    other_code: bool = False,
) -> "Model":
    """The trained method of a finished cell, or of a file that ``mrbench export-model`` wrote.

    No pickled code is run: weights are read as arrays.

    Args:
        cell: its folder, ``results/cells/DATASET/METHOD/DIGEST/foldK-seedS``, or a result that has a ``folder``; or a
            model file.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        plugin_files: where the method comes from a file; one may stand alone.
        other_code: predict with the code that is installed here where it is other code than it was trained with; a
            warning says so, and so does ``model.other_code``.

    Raises:
        UsageError: no finished cell, or one of a fusion or of predictions made elsewhere, which have no weights; or a
            method that is not installed.
        DataError: the weights or the file are not there, or cannot be read.
        IncompatibleError: another version wrote the file.
        PluginError: the method is of other code.
    """
    files = paths_of("plugin_files", plugin_files)
    if isinstance(cell, str | PathLike) and Path(cell).is_file():
        model = _of_file(read_model_file(Path(cell)), discover_with_warnings(files), device, other_code)
    else:
        model = _of_cell(_folder_of(cell), files, device, other_code)
    if model.other_code:
        warnings.warn(f"{model.spec.title}: predicted by other code: {model.other_code}", stacklevel=2)
    return model


def _of_file(file: ModelFile, registry: Registry, device: str, other_code: bool) -> "Model":
    facts, description, on = file.facts, file.description, torch_device(device)
    trained = Trained(spec=file.spec, where=f"the model {file.path}", plugins=facts.plugins, files=facts.code.files)
    spec, other = admitted(trained, registry, other_code=other_code)
    with _generator_kept():
        methods = filled_methods(file, spec, registry, on)
    return Model(
        spec, description, source_of(spec, registry, description, methods, on), methods=methods, other_code=other
    )


def _of_cell(folder: Path, plugin_files: Sequence[Path], device: str, other_code: bool) -> "Model":
    spec, record = _finished(folder)
    results = _results_of(folder, spec)
    again = f"{reproduce(spec)} --out {results} --force"
    folders = _weight_folders(spec, results, again)
    registry = discover_with_warnings(plugin_files)
    description, on = _description(spec, results, again), torch_device(device)
    plugins = {spec.method: record["versions"].get("plugin", "")}
    files = record.get("code", {}).get("files", {})
    trained = Trained(spec=spec, where=spec.title, plugins=plugins, files=files, again=again)
    spec, other = admitted(trained, registry, other_code=other_code)
    damaged = f"mrbench repair moves what is damaged aside; {again} computes it anew"
    methods = [
        _trained(one, registry, description, weights, on, damaged)
        for one, weights in zip(spec.trainings, folders, strict=True)
    ]
    return Model(
        spec, description, source_of(spec, registry, description, methods, on), methods=methods, other_code=other
    )


def _weight_folders(spec: CellSpec, results: Path, hint: str) -> list[Path]:
    folders = [one.training_folder(results) for one in spec.trainings]
    for training in folders:
        if not (training / TRAINED).is_file():
            raise DataError(f"the weights of {spec.title} are not there", expected=str(training), hint=hint)
    return folders


def _trained(
    spec: CellSpec, registry: Registry, description: Description, training: Path, device: Any, hint: str
) -> "Method[Any]":
    with _generator_kept():
        method = untrained(spec, method_of(spec, registry), description)
    try:
        load_weights(method, training, device)
    except (DataError, OSError, RuntimeError, KeyError, EOFError, UnpicklingError) as error:
        found = error.fault if isinstance(error, DataError) else f"{type(error).__name__}: {error}"[:300]
        raise DataError(f"cannot read the weights in {training / WEIGHTS}", found=found, hint=hint) from error
    return method


def _folder_of(cell: StrPath | HasFolder) -> Path:
    folder = cell if isinstance(cell, str | PathLike) else getattr(cell, "folder", None)
    if folder is None:
        raise UsageError(
            f"{cell!r} lies in no folder and has no weights",
            expected="the folder of a finished cell, or its result from a results folder",
            hint='load_results("results").cell(METHOD) gives one; entries of a leaderboard hold scores only',
        )
    return Path(folder).resolve()


def _finished(folder: Path) -> tuple[CellSpec, dict[str, Any]]:
    record = read_record(folder)
    if record is None or record["status"] != Status.OK:
        raise UsageError(
            f"{folder} holds no finished cell",
            expected="results/cells/DATASET/METHOD/DIGEST/foldK-seedS with a record.json",
            found=f"{record['status']}: {record['reason']}" if record else "no record",
            hint="mrbench run computes cells; mrbench show RUN --json lists their folders",
        )
    spec = CellSpec.from_json(record["spec"])
    if spec.kind != "method":
        kind = "fusion of the raters' masks" if spec.kind == "fusion" else "row of predictions made elsewhere"
        raise UsageError(f"{spec.method!r} is a {kind} and has no model", expected="a cell of a method that learns")
    return spec, record


def _results_of(folder: Path, spec: CellSpec) -> Path:
    # Weights and declarations lie beside the cells, shared by many of them.
    results = folder.parents[min(4, len(folder.parents) - 1)]
    if spec.folder(results) != folder:
        raise DataError(
            f"the cell {folder} is not where it was computed, and its weights are not beside it",
            expected=str(spec.folder(Path("RESULTS"))),
            hint="copy the whole results folder",
        )
    return results


def _description(spec: CellSpec, results: Path, hint: str) -> Description:
    # Of any run on the same data: the digest of data is one of their declarations too.
    for path in sorted((results / "runs").glob("*/run.json")):
        try:
            run = open_run(str(path.parent), results)
        except MrbenchError:
            continue
        if any((s.dataset, s.data_digest) == (spec.dataset, spec.data_digest) for s, _ in run.cells):
            return Description.from_json(dict(run.descriptions[spec.dataset]))
    raise DataError(f"no run in {results} says what data set {spec.dataset!r} declares", hint=hint)


def _generator_kept() -> Any:
    import torch

    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()  # type: ignore[no-untyped-call]
    return torch.random.fork_rng(devices=gpus)


class Model:
    """A trained method that predicts for images of its data set's kind.

    An image is an array as the data set stores it: ``(C, H, W)``, or ``(C, D, H, W)`` of volumes; the first axis may be
    left out where there is one channel. It is normalised as in a run. A :class:`Case` or :class:`Image` of a data set
    is normalised already and is taken as it is, with its name.

    Noise derives from the prediction seed and the case's name: with the name (``case``) of one of the run's cases and
    as many samples, draws are those of the run, bit for bit on a CPU at the same thread count. An image without a name
    has noise of its own, which derives from its content.

    Attributes:
        spec: of the cell that it comes from.
        description: what its data set declares.
        source: where its draws come from; ``card``: says which there are.
        device: where it computes.
        methods: of its trainings.
        other_code: what is other code here than it was trained with, in words; empty where nothing is.
    """

    def __init__(
        self,
        spec: CellSpec,
        description: Description,
        source: "Answering",
        *,
        methods: "Sequence[Method[Any]]" = (),
        other_code: str = "",
    ) -> None:
        self.spec, self.description, self.source = spec, description, source
        self.methods, self.other_code = methods, other_code
        self.card, self.device = source.card, source.device

    @property
    def rater_names(self) -> tuple[str, ...]:
        """Names of the R raters whom it was trained on."""
        return self.description.rater_names

    def sample(
        self,
        image: np.ndarray | Image | Case,
        n: int = 50,
        seed: int = 0,
        *,
        case: str | None = None,
        probabilities: bool = False,
    ) -> np.ndarray:
        """``(n, *spatial)`` uint8 labels below K of n segmentations drawn for an image.

        A method with a single output gives that, n = 1.

        Args:
            seed: 0: the run's prediction seed; another one: other draws.
            case: the image's name, for its noise.
            probabilities: ``(n, K, *spatial)`` float32 in place of labels.

        Raises:
            UsageError: an image of other channels or dimensions, or a method that predicts raters only.
        """
        if not _is_whole(n) or n < 1:
            raise UsageError("n has a wrong value", expected="a whole number from 1", found=repr(n))
        draws = self.draws(image, n, seed, case=case)
        found = [_output(d, probabilities) for d in draws if d.kind in (DrawKind.SAMPLE, DrawKind.CONSENSUS)]
        if not found:
            raise UsageError(f"{self.spec.method!r} predicts raters and draws no samples", hint="as_rater(image, NAME)")
        return np.stack(found)

    def as_rater(
        self,
        image: np.ndarray | Image | Case,
        rater: str | int,
        seed: int = 0,
        *,
        case: str | None = None,
        probabilities: bool = False,
    ) -> np.ndarray:
        """``(*spatial)`` uint8 labels below K in the style of one rater: the first that the method predicts.

        A method with a single output gives that for every rater.

        Args:
            rater: by name, or by column of the masks, from 0.
            seed, case: those of :meth:`sample`.
            probabilities: ``(K, *spatial)`` float32 in place of labels.

        Raises:
            UnknownNameError: no rater of that name; names the nearest.
            UsageError: no such column, an image of other channels or dimensions, or a method that predicts no rater.
        """
        column = self._column(rater)
        draws = self.draws(image, 1, seed, case=case)
        found = [_output(d, probabilities) for d in draws if d.rater == column or d.kind is DrawKind.CONSENSUS]
        if not found:
            raise UsageError(f"{self.spec.method!r} predicts no rater", hint="sample(image)")
        return found[0]

    def _column(self, rater: str | int) -> int:
        names = self.rater_names
        if isinstance(rater, str):
            if rater not in names:
                raise UnknownNameError("rater", rater, names, where=f"of data set {self.spec.dataset!r}")
            return names.index(rater)
        if not _is_whole(rater) or not 0 <= rater < len(names):
            raise UsageError(f"there is no rater {rater!r}", expected=f"0..{len(names) - 1}, or a name")
        return int(rater)

    def draws(
        self, image: np.ndarray | Image | Case, n: int = 50, seed: int = 0, *, case: str | None = None
    ) -> Iterator[Draw]:
        """What a run draws for an image, one by one: raters, n samples, the consensus, as the method gives them.

        Args:
            seed, case: those of :meth:`sample`.

        Raises:
            UsageError: an image of other channels or dimensions.
        """
        source = self.source.reseeded(seed) if seed else self.source
        predictor = Predictor.of_method(self.description, n, source)
        for _, draws in predictor.draws(self._case(image, case)):
            yield from draws

    def _case(self, image: np.ndarray | Image | Case, name: str | None) -> Case:
        found = image.without_masks() if isinstance(image, Case) else image
        if not isinstance(found, Image):
            array = self._normalised(np.asarray(found))
            found = Image(digest_arrays([("image", array)]), array)
        self._check_shape(found.array)
        raters = self.description.n_raters
        # What has no masks is no case; nobody's are looked at.
        nothing = np.zeros((raters, *found.array.shape[1:]), np.uint8)
        return Case(name or found.id, "", found.array, nothing, np.ones(raters, bool), spacing=found.spacing)

    def _normalised(self, array: np.ndarray) -> np.ndarray:
        array = array[None] if array.ndim == len(self._axes) and len(self.description.channels) == 1 else array
        self._check_shape(array)
        _check_as_stored(array, self.description)
        return normalise(array, self.description.normalisation)

    @property
    def _axes(self) -> tuple[str, ...]:
        return ("D", "H", "W") if self.description.unit == "volume" else ("H", "W")

    def _check_shape(self, array: np.ndarray) -> None:
        axes, channels = self._axes, len(self.description.channels)
        if array.ndim != len(axes) + 1 or len(array) != channels:
            raise UsageError(
                f"the image is none of data set {self.spec.dataset!r}",
                expected=f"({', '.join(('C', *axes))}) with C = {channels} ({', '.join(self.description.channels)})",
                found=f"{array.shape}",
            )


def _is_whole(number: Any) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def _check_as_stored(array: np.ndarray, description: Description) -> None:
    # The likeliest mistake with an array: the image of a Case, which is normalised.
    if description.normalisation != "byte" or array.dtype.kind != "f" or not array.any() or array.max() > 1:
        return
    raise UsageError(
        "the image is normalised already",
        expected="an array as the data set stores it, 0..255",
        found=f"{array.dtype} up to {array.max():.3g}",
        hint="give the Case itself in place of its image, or the image times 255",
    )


def _output(draw: Draw, probabilities: bool) -> np.ndarray:
    return np.asarray(draw.probability, np.float32) if probabilities else labels_of(draw.probability)


def labels_of(probability: np.ndarray) -> np.ndarray:
    """``(*spatial)`` uint8 labels as a run stores them, of probabilities ``(K, *spatial)``."""
    labels = np.zeros(probability.shape[1:], np.uint8)
    for label, mask in enumerate(binarise(probability), start=1):
        labels[mask] = label
    return labels
