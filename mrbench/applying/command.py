"""From the name of a training and images to a folder of predictions, one image at a time."""

import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrbench.applying.applied import Applied, apply, ensemble_of
from mrbench.applying.images import Named, NewImage, named_images, read_image
from mrbench.applying.scope import Scope, scope_of, scope_of_file
from mrbench.applying.trainings import Trainings
from mrbench.applying.windows import Corner, Windows, windows_of
from mrbench.applying.written import write_applied
from mrbench.engine.model import Model, load_model
from mrbench.engine.model_file import read_model_file
from mrbench.engine.result import Result
from mrbench.errors import MrbenchError, UsageError
from mrbench.external.stems import TABLE, read_stems, stems_of, write_stems
from mrbench.files import filled_folder
from mrbench.pictures import write_prediction_picture
from mrbench.registry import Registry

PICTURE = "picture.png"

MARKED = "other-code.txt"
"""Beside the predictions of a model whose code is other code here."""

MARK = "other code"
"""The same in the picture."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked for.

    Attributes:
        samples: S for each image.
        raters: write the raters' masks.
        tile, centre: how an image of another size is shown to the network.
        force: write into a folder that holds something.
    """

    samples: int = 16
    raters: bool = False
    tile: bool = False
    centre: Corner | None = None
    force: bool = False


@dataclass(frozen=True)
class Loading:
    """How models are loaded: see :func:`mrbench.load_model`."""

    device: str = "auto"
    plugin_files: Sequence[Path] = ()
    other_code: bool = False

    def load(self, source: Result | Path) -> Model:
        """The model of a result or a file, without warnings: whoever has the registry tells of what was set aside."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return load_model(source, device=self.device, plugin_files=self.plugin_files, other_code=self.other_code)


@dataclass(frozen=True)
class Told:
    """How it went with one image.

    Attributes:
        named: the image.
        folder: where its files are, from the whole folder on; empty where it failed.
        lines: what was done that one would not expect.
        error: why it failed.
    """

    named: Named
    folder: str = ""
    lines: Sequence[str] = ()
    error: MrbenchError | None = None


@dataclass(frozen=True, eq=False)
class Predicting:
    """A model that was loaded, for images one after the other.

    Attributes:
        model: that answers.
        scope: what its training has seen; None where that is not known.
        names: of the trainings that it comes from.
        notes: what holds for all images.
    """

    model: Model
    scope: Scope | None
    names: Sequence[str]
    notes: Sequence[str] = ()

    @classmethod
    def of_trainings(cls, chosen: Trainings, registry: Registry, loading: Loading) -> "Predicting":
        """The mean over trainings of a run."""
        model = ensemble_of([loading.load(one) for one in chosen.results])
        scope, note = scope_of(chosen.spec, registry, chosen.run)
        return cls(model, scope, chosen.names, [note] if note else [])

    @classmethod
    def of_file(cls, path: Path, loading: Loading) -> "Predicting":
        """The model of a file that ``mrbench export-model`` wrote."""
        file = read_model_file(path)
        scope = scope_of_file(file)
        note = "" if scope else "size and spacing of the images are not checked: the model file says nothing of them"
        return cls(loading.load(path), scope, [file.facts.name], [note] if note else [])

    def write(self, paths: Sequence[Path], to: Path, asked: Asked) -> Iterator[Told]:
        """Writes a folder per image into a folder, which is filled when all are done, with those that went well.

        Raises:
            UsageError: paths without images, or a folder that holds something, or that lies among the images.
            MrbenchError: no image went well; of one image alone its own fault.
        """
        images = named_images(paths)
        stems = stems_of([named.name for named in images])
        _check_apart(to, paths)
        earlier = _earlier(to, stems.values()) if asked.force and to.is_dir() else {}
        good: dict[str, str] = {}
        with filled_folder(to, force=asked.force) as folder:
            for named in images:
                told = self._told(named, folder, stems[named.name], asked)
                if told.error and len(images) == 1:
                    raise told.error
                good |= {} if told.error else {named.name: told.folder}
                yield told
            if not good:
                raise MrbenchError(f"none of {len(images)} images could be predicted", hint="see the messages above")
            write_stems(folder, {case: stem for case, stem in earlier.items() if stem not in good.values()} | good)

    def _told(self, named: Named, folder: Path, stem: str, asked: Asked) -> Told:
        try:
            image, windows, answer = self.answer(named, asked)
        except MrbenchError as error:
            return Told(named, error=error)
        write_applied(folder / stem, image, answer, self.model.description, raters=asked.raters)
        self._mark(folder / stem)
        title = named.name + (f" ({MARK})" if self.model.other_code else "")
        write_prediction_picture(folder / stem / PICTURE, title, image.array, answer, self.model.description)
        return Told(named, stem, list(self._lines(image, windows)))

    def answer(self, named: Named, asked: Asked) -> tuple[NewImage, Windows, Applied]:
        """An image as it was read, how it was shown to the network, and the answer.

        Raises:
            MrbenchError: it cannot be read, or is of another kind than the data set.
        """
        image = read_image(named, self.model.description)
        height, width = image.array.shape[-2:]
        own = (height, width)
        seen = self.scope.resampled(own, image.spacing) if self.scope else own
        windows = windows_of(own, seen, self.scope, str(named.path), tile=asked.tile, centre=asked.centre)
        return image, windows, apply(self.model, image.array, windows, named.name, asked.samples)

    def _mark(self, folder: Path) -> None:
        """Leaves a file that says so, where predictions are of other code than the training."""
        if self.model.other_code:
            text = f"Predicted by other code than it was trained with: {self.model.other_code}\n"
            (folder / MARKED).write_text("".join([*(f"{name}\n" for name in self.names), text]), encoding="utf-8")

    def _lines(self, image: NewImage, windows: Windows) -> Iterator[str]:
        if self.scope and self.scope.spacings and image.spacing is None:
            yield "spacing unknown, taken as the data set's"
        if windows.seen != windows.own and self.scope and self.scope.spacings and image.spacing:
            ours, theirs = ("x".join(f"{mm:.3g}" for mm in at) for at in (image.spacing, self.scope.spacings[1]))
            seen = " x ".join(map(str, windows.seen))
            yield f"{ours} mm, resampled to {theirs} mm ({seen}), and back"
        if not windows.are_whole:
            size = " x ".join(map(str, windows.size))
            many = len(windows.corners)
            yield f"{many} windows of {size}, averaged" if many > 1 else f"one window of {size}, background elsewhere"


def _check_apart(to: Path, paths: Sequence[Path]) -> None:
    for path in paths:
        if path.is_dir() and to.resolve().is_relative_to(path.resolve()):
            raise UsageError(f"{to} lies in {path}: its files would be taken for images", hint="--to another folder")


def _earlier(to: Path, stems: Collection[str]) -> dict[str, str]:
    """Stems by case of what a folder has been filled with before; nothing else in it is replaced."""
    known = read_stems(to)
    for stem in stems:
        if (to / stem).exists() and stem not in known:
            found = f"{to / stem}, which {TABLE} does not name"
            raise UsageError(f"{to} holds what no mrbench predict wrote", found=found, hint="--to another folder")
    return {case: stem for stem, case in known.items()}
