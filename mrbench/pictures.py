"""Pictures for people to look at: contact sheets of data sets, and predictions beside the raters' masks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mrbench.data.caseset import CaseSet
from mrbench.data.description import Description
from mrbench.data.imported import find_dataset
from mrbench.data.loading import cases_of, configured
from mrbench.engine.cell import PREDICTIONS, CellSpec, Status
from mrbench.engine.record import checked_file
from mrbench.engine.result import Result
from mrbench.engine.run import Run
from mrbench.engine.tested import tested_indices
from mrbench.errors import DataError, MrbenchError, UsageError
from mrbench.files import replaced
from mrbench.hatching import hatched
from mrbench.registry import Registry

if TYPE_CHECKING:
    from PIL.Image import Image

    from mrbench.engine.predictions import StoredDraw

TILE = 160
GAP = 6
TITLE = 16
COLOURS = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (204, 121, 167), (213, 94, 0), (0, 114, 178),
    (150, 80, 250), (150, 230, 50), (230, 30, 70),
)  # fmt: skip
"""For raters: Okabe and Ito's palette, which colour-blind readers can tell apart, and three more."""

NOBODY = (255, 255, 255)
"""For outlines that stand for no rater."""

VARIED = 0.25
"""The largest variance of a probability."""

SHOWN = 4
"""Samples of a prediction that are drawn."""


@dataclass(frozen=True)
class Tile:
    """A picture with a title.

    Attributes:
        pixels: ``(H, W, 3)`` uint8.
    """

    title: str
    pixels: np.ndarray


def write_contact_sheet(cases: CaseSet, path: Path, count: int) -> None:
    """Images with every rater's outline, evenly chosen over the data set; a legend names the raters."""
    chosen = np.unique(np.linspace(0, len(cases) - 1, min(count, len(cases))).astype(int))
    tiles = []
    for index in map(int, chosen):
        plane, masks = _plane(cases, index)
        picture = _grey(plane)
        for rater in np.flatnonzero(cases.present[index]):
            _outline(picture, masks[rater] > 0, _colour(int(rater)))
        tiles.append(Tile(cases.ids[index], picture))
    rows = [tiles[start : start + 6] for start in range(0, len(tiles), 6)]
    legend = [(name, _colour(r)) for r, name in enumerate(cases.description.rater_names)]
    _write(_sheet(rows, legend), path)


def write_run_pictures(
    run: Run, results: Sequence[Result], registry: Registry, path: Path, count: int = 4
) -> list[Path]:
    """A picture per data set, named after it where there are several; returns their paths.

    Raises:
        MrbenchError: no cell of the run has finished.
    """
    done = [result.spec for result in results if result.status is Status.OK]
    if not done:
        raise MrbenchError(f"run {run.id} has no finished cell to draw", hint=f"mrbench show {run.id}")
    datasets = list(dict.fromkeys(spec.domain for spec in done))
    paths = [path.with_stem(f"{path.stem}-{name.replace(':', '--')}") for name in datasets]
    paths = paths if len(datasets) > 1 else [path]
    for name, own in zip(datasets, paths, strict=True):
        _write_dataset_picture([spec for spec in done if spec.domain == name], run, registry, own, count)
    return paths


def _write_dataset_picture(done: list[CellSpec], run: Run, registry: Registry, path: Path, count: int) -> None:
    """Raters' masks, and below them each method's rater predictions, first samples and mean of all samples.

    Fusions stand in the picture only where the run has no method that learns: their draws are the raters' masks.
    The cases are spread evenly over one fold's test cases in the order of the raters' disagreement.
    """
    done = [spec for spec in done if spec.kind == "method"] or done
    first = done[0]
    same = [
        s for s in done if (s.dataset, s.fold, s.seed, s.limit) == (first.dataset, first.fold, first.seed, first.limit)
    ]
    cases = load_cases(first, registry, run)
    chosen = _spread(cases, tested_indices(first, cases), count)
    draws = {spec.method: _draws(spec, run, {cases.ids[i] for i in chosen}) for spec in same}
    rows = [row for index in chosen for row in _case_rows(cases, index, draws)]
    legend = [(name, _colour(r)) for r, name in enumerate(cases.description.rater_names)]
    _write(_sheet(rows, legend), path)


class Answer(Protocol):
    """What is drawn of predictions for an image: masks by field, and maps ``(K - 1, *spatial)``."""

    @property
    def masks(self) -> Mapping[str, Sequence["Marked"]]: ...
    @property
    def mean(self) -> np.ndarray: ...
    @property
    def variance(self) -> np.ndarray: ...


class Marked(Protocol):
    """A mask ``(*spatial)``, and the column of its rater or None."""

    @property
    def labels(self) -> np.ndarray: ...
    @property
    def rater(self) -> int | None: ...


def write_prediction_picture(
    path: Path, title: str, image: np.ndarray, answer: Answer, description: Description
) -> None:
    """An image ``(C, *spatial)`` with mean, variance and first samples, and below them the raters' predictions.

    Masks have the names of their files. Of a volume the plane is shown that the mean marks most.
    """
    mean, variance = answer.mean.sum(axis=0), answer.variance.max(axis=0)
    depth = int(mean.sum(axis=(1, 2)).argmax()) if mean.ndim == 3 else ()
    plane, names = image[0][depth], description.rater_names
    whole = [(f"sample-{number:03d}", mask) for number, mask in enumerate(answer.masks.get("samples", ()))]
    whole = whole[:SHOWN] + [("consensus", mask) for mask in answer.masks.get("consensus", ())]
    first = [
        Tile(title, _grey(plane)),
        Tile("mean", _share(mean[depth])),
        Tile(f"variance, white {VARIED:g}", _share(variance[depth] / VARIED)),
        *(_marked(name, plane, mask.labels[depth], NOBODY) for name, mask in whole),
    ]
    raters = [
        _marked(f"rater-{names[mask.rater]}", plane, mask.labels[depth], _colour(mask.rater))
        for mask in answer.masks.get("raters", ())
        if mask.rater is not None
    ]
    _write(_sheet([first, raters] if raters else [first], []), path)


def _marked(title: str, plane: np.ndarray, labels: np.ndarray, colour: tuple[int, int, int]) -> Tile:
    return Tile(title, _outlined(plane, labels > 0, colour))


def load_cases(spec: CellSpec, registry: Registry, run: Run) -> CaseSet:
    """The data set that a cell was tested on.

    Raises:
        DataAbsentError: it is not there any more.
        DataError: it is another one now.
    """
    folder = Path(run.data) if run.data else None
    choice = spec.tested
    plugin = find_dataset(choice.dataset, registry, folder)
    cases = cases_of(plugin, configured(plugin, choice.dataset_options), folder)
    if cases.digest != choice.data_digest:
        raise DataError(
            f"data set {choice.dataset!r} is not the one that the run was computed on",
            expected=f"digest {choice.data_digest[:12]}",
            found=f"digest {cases.digest[:12]}",
        )
    return cases


def _spread(cases: CaseSet, test: np.ndarray, count: int) -> list[int]:
    def disagreement(index: int) -> float:
        masks = cases.pixels.masks(index)[cases.present[index]] > 0
        union = int(masks.any(axis=0).sum())
        return float((masks.any(axis=0) & ~masks.all(axis=0)).sum() / union) if union else 0.0

    ordered = sorted(map(int, test), key=disagreement)
    places = np.linspace(0, len(ordered) - 1, min(count, len(ordered)) + 2)[1:-1]
    return [ordered[round(place)] for place in places]


Draws = Mapping[str, list["StoredDraw"]]


def _draws(spec: CellSpec, run: Run, wanted: set[str]) -> Draws:
    from mrbench.engine.predictions import read_draws

    path = checked_file(spec.folder(run.results), PREDICTIONS)
    return {case_id: draws for case_id, draws in read_draws(path) if case_id in wanted}


def _case_rows(cases: CaseSet, index: int, draws: Mapping[str, Draws]) -> Iterator[list[Tile]]:
    plane, masks = _plane(cases, index)
    names = cases.description.rater_names
    yield [
        Tile(cases.ids[index], _grey(plane)),
        *(Tile(names[r], _outlined(plane, masks[r] > 0, _colour(r))) for r in range(len(masks))),
    ]
    for method, by_case in draws.items():
        shape = cases.pixels.masks(index).shape[1:]
        found = [(draw, _mask(draw.bits, shape, cases, index)) for draw in by_case[cases.ids[index]]]
        yield list(_method_tiles(method, plane, names, found))


def _method_tiles(
    method: str, plane: np.ndarray, names: Sequence[str], draws: list[tuple["StoredDraw", np.ndarray]]
) -> Iterator[Tile]:
    samples = [mask for draw, mask in draws if draw.rater is None]
    yield Tile(f"{method}: mean", _heat(samples)) if samples else Tile(method, _grey(plane))
    seen: set[int] = set()
    for draw, mask in draws:
        if draw.rater is not None and draw.rater not in seen:
            seen.add(draw.rater)
            yield Tile(f"as {names[draw.rater]}", _outlined(plane, mask, _colour(draw.rater)))
    for number, mask in enumerate(islice(samples, SHOWN)):
        yield Tile(f"sample {number + 1}" if len(samples) > 1 else "consensus", _outlined(plane, mask, NOBODY))


def _plane(cases: CaseSet, index: int) -> tuple[np.ndarray, np.ndarray]:
    """First channel ``(H, W)``, NaN where void, and masks ``(R, H, W)``; of a volume, the slice that is marked most."""
    image, masks = cases.pixels.image(index), cases.pixels.masks(index)
    # Masks without an image stand on black.
    image = image[0] if len(image) else np.zeros(image.shape[1:], np.uint8)
    depth = int((masks > 0).sum(axis=(0, 2, 3)).argmax()) if cases.is_volume else ()
    valid = cases.valid(index)
    plane = image[depth] if valid is None else np.where(valid[depth], image[depth], np.float32(np.nan))
    return plane, masks[:, depth] if cases.is_volume else masks


def _mask(bits: np.ndarray, shape: tuple[int, ...], cases: CaseSet, index: int) -> np.ndarray:
    flat = np.unpackbits(bits[0], count=int(np.prod(shape))).astype(bool).reshape(shape)
    if not cases.is_volume:
        return flat
    return flat[int((cases.pixels.masks(index) > 0).sum(axis=(0, 2, 3)).argmax())]


def _enlarged(plane: np.ndarray) -> np.ndarray:
    # Nearest neighbour until the longer side fills a tile: a pixel stays a square.
    sides = (max(1, TILE * size // max(plane.shape)) for size in plane.shape)
    rows, columns = (np.arange(side) * size // side for side, size in zip(sides, plane.shape, strict=True))
    return plane[rows][:, columns]


def _grey(plane: np.ndarray) -> np.ndarray:
    values, valid = plane.astype(np.float32), ~np.isnan(plane)
    seen = values[valid] if valid.any() else np.zeros(1, np.float32)
    low, high = float(seen.min()), float(seen.max())
    scaled = np.zeros_like(values) if high <= low else (np.where(valid, values, low) - low) / (high - low) * 255
    return np.repeat(_enlarged(hatched(scaled.astype(np.uint8), valid))[..., None], 3, axis=2)


def _heat(masks: Sequence[np.ndarray]) -> np.ndarray:
    return _share(np.mean(np.stack(masks), axis=0))


def _share(share: np.ndarray) -> np.ndarray:
    return np.repeat(_enlarged((share * 255).astype(np.uint8))[..., None], 3, axis=2)


def _colour(rater: int) -> tuple[int, int, int]:
    return COLOURS[rater % len(COLOURS)]


def _outlined(plane: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    picture = _grey(plane)
    _outline(picture, mask, colour)
    return picture


def _outline(picture: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int]) -> None:
    inside = large = _enlarged(mask)
    for _ in range(2):  # pixels of line width
        wide = np.pad(inside, 1)
        inside = wide[1:-1, 1:-1] & wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    picture[large & ~inside] = colour


def _sheet(rows: Sequence[Sequence[Tile]], legend: Sequence[tuple[str, tuple[int, int, int]]]) -> "Image":
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        raise UsageError("pictures need Pillow", hint="pip install 'mrbench[pictures]'") from None
    font = ImageFont.load_default(11)
    columns = max(6, *(len(row) for row in rows))
    width = GAP + columns * (TILE + GAP)
    places = _legend_places([font.getlength(name) for name, _ in legend], width)
    top = GAP + (TITLE * (1 + max(line for _, line in places)) + GAP if places else 0)
    sheet = Image.new("RGB", (width, top + len(rows) * (TILE + TITLE + GAP)), "white")
    pen = ImageDraw.Draw(sheet)
    for (name, colour), (x, line) in zip(legend, places, strict=True):
        y = GAP + line * TITLE
        pen.rectangle((x, y + 3, x + 9, y + 12), fill=colour)
        pen.text((x + 14, y), name, fill="black", font=font)
    for number, row in enumerate(rows):
        y = top + number * (TILE + TITLE + GAP)
        for column, tile in enumerate(row):
            x = GAP + column * (TILE + GAP)
            pen.text((x, y), _fitting(tile.title, font), fill="black", font=font)
            sheet.paste(Image.fromarray(tile.pixels), (x, y + TITLE))
    return sheet


def _legend_places(lengths: Sequence[float], width: int) -> list[tuple[int, int]]:
    # (x, line) of each entry; entries that do not fit go to the next line.
    places, x, line = [], GAP, 0
    for length in lengths:
        wanted = 14 + int(length) + 16
        if x > GAP and x + wanted > width:
            x, line = GAP, line + 1
        places.append((x, line))
        x += wanted
    return places


def _fitting(title: str, font: Any) -> str:
    # The end of a case's name tells more than its middle.
    if font.getlength(title) <= TILE:
        return title
    while font.getlength("…" + title) > TILE:
        title = title[1:]
    return "…" + title


def _write(sheet: "Image", path: Path) -> None:
    if path.suffix.lower() != ".png":
        raise UsageError(f"cannot write the picture {path}", expected="a name that ends with .png")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced(path) as temporary:
        sheet.save(temporary, format="PNG", optimize=True)
