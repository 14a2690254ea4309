"""The eight public releases in small: files of exactly their layouts, and what they hold."""

import csv
import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

SHAPE = (20, 24)
VOLUME = (4, 10, 12)
SPACING = (2.0, 0.9, 0.8)
"""mm along D, H, W."""

Masks = Mapping[str, Mapping[int, np.ndarray]]
"""Classes by case and column of the rater; who is absent has none."""


def picture(seed: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """``(H, W, 3)`` noise."""
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3)).astype(np.uint8)


def box(seed: int, rater: int, classes: int = 1, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Nested boxes of the classes 1, 2, ..., larger with every rater up to the sixth."""
    mask = np.zeros(shape, np.uint8)
    for label in range(1, classes + 1):
        first, larger = label + seed % 2, (rater // 2, rater % 2)
        mask[(..., *(slice(first, n - label - 3 + more) for n, more in zip(shape[-2:], larger, strict=True)))] = label
    return mask


def save(path: Path, values: np.ndarray, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **options)


def save_palette(path: Path, mask: np.ndarray) -> None:
    """A GIF whose indices 0 and 1 are black, which is transparent, and white."""
    image = Image.fromarray(mask, mode="P")
    image.putpalette([0, 0, 0, 255, 255, 255])
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, transparency=0)


def save_volume(path: Path, values: np.ndarray, spacing: tuple[float, ...] = SPACING, slope: float = 1) -> None:
    """``(D, H, W)`` as NIfTI; with a slope the values are stored divided by it."""
    import nibabel

    path.parent.mkdir(parents=True, exist_ok=True)
    stored = np.rint(values.transpose(2, 1, 0) / slope).astype(np.int16)
    image = nibabel.Nifti1Image(stored, np.diag([*spacing[::-1], 1]))
    image.header.set_xyzt_units("mm")
    image.header.set_slope_inter(slope, 0)
    nibabel.save(image, path)


def write_drive(source: Path) -> Masks:
    found = {}
    for part, numbers in {"training": (21, 22, 23), "test": (1, 2, 3)}.items():
        for n in numbers:
            save(source / part / "images" / f"{n:02}_{part}.tif", picture(n))
            masks = {0: box(n, 0)}
            save(source / part / "1st_manual" / f"{n:02}_manual1.gif", masks[0] * 255)
            save(source / part / "mask" / f"{n:02}_{part}_mask.gif", np.full(SHAPE, 255, np.uint8))
            if part == "test":
                masks[1] = box(n, 1)
                save_palette(source / part / "2nd_manual" / f"{n:02}_manual2.gif", masks[1])
            found[f"{part}-{n:02}"] = masks
    return found


def write_chase(source: Path) -> Masks:
    found = {}
    for child in (1, 2, 3, 10, 11, 12):
        for eye in "LR":
            stem = f"Image_{child:02}{eye}"
            save(source / f"{stem}.jpg", picture(child * 2 + (eye == "L")), quality=95)
            masks = {r: box(child, r) for r in range(2)}
            for r, name in enumerate(("1stHO", "2ndHO")):
                save(source / f"{stem}_{name}.png", masks[r].astype(bool))
            found[f"{child:02}{eye}"] = masks
    return found


def write_stare(source: Path) -> Masks:
    found = {}
    for n in (1, 2, 3, 139, 162, 163):
        stem = f"im{n:04}"
        save_gzipped(source / "stare-images" / f"{stem}.ppm.gz", picture(n))
        masks = {r: box(n, r) for r in range(2)}
        for r, name in enumerate(("ah", "vk")):
            save_gzipped(source / f"labels-{name}" / f"{stem}.{name}.ppm.gz", masks[r] * 255)
        found[stem] = masks
    return found


def save_gzipped(path: Path, values: np.ndarray) -> None:
    content = BytesIO()
    Image.fromarray(values).save(content, format="PPM")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content.getvalue(), mtime=0))


def write_curvas(source: Path) -> Masks:
    found = {}
    numbers = {"training_set": (1, 2, 3), "validation_set": (21,), "testing_set": (7, 26)}
    for part, n in ((part, n) for part, several in numbers.items() for n in several):
        case = f"UKCHLL{n:03}"
        noise = np.random.default_rng(n).integers(-1000, 1000, VOLUME)
        save_volume(source / part / case / "image.nii.gz", noise)
        masks = {r: box(n, r, 3, VOLUME) for r in range(3)}
        for r, mask in masks.items():
            wrong = (n, r) == (7, 1)  # as the one file of the release
            spacing = (1.4, *SPACING[1:]) if wrong else SPACING
            save_volume(source / part / case / f"annotation_{r + 1}.nii.gz", mask, spacing, slope=1 / 2 if r else 1)
        found[f"{part}-{case}"] = masks
    return found


def write_chaksu(source: Path) -> Masks:
    found = {}
    names = {
        "Train": ("Bosch/Image1", "Forus/22", "Remidio/IMG_1", "Remidio/P7_2", "Bosch/I3"),
        "Test": ("Remidio/P7_1", "Bosch/I2"),
    }
    levels = np.array([0, 127, 255], np.uint8)
    for part, several in names.items():
        for camera, stem in (name.split("/") for name in several):
            seed = sum(map(ord, part + stem))
            photographs = source / part / "1.0_Original_Fundus_Images" / camera
            save(photographs / f"{stem}.{'png' if camera == 'Forus' else 'JPG'}", picture(seed))
            masks = {r: box(seed, r, 2) for r in range(5)}
            for r, mask in masks.items():
                name = f"{stem.lower()}{'glsusp' * (stem == '22' and r == 3)}.tif"
                save(source / part / "4.0_OD_CO_Fusion_Images" / f"Expert {r + 1}" / camera / name, levels[mask])
            save(source / part / "4.0_OD_CO_Fusion_Images" / camera / "STAPLE" / f"{stem}.png", levels[masks[0]])
            found[f"{part}-{camera}-{stem}"] = masks
    return found


def write_gleason(source: Path) -> Masks:
    found = {}
    codes = np.array([1, 3, 4, 5], np.uint8)
    for n in range(12):
        stem = f"slide{n // 2 + 1:03}_core{n + 10:03}"
        save(source / "Train Imgs" / f"{stem}.jpg", picture(n), quality=95)
        masks = {r: box(n, r, 3) for r in range(6) if (n + r) % 3}
        for r, mask in masks.items():
            values = codes[mask]
            values[0, :2] = 0, 6
            save(source / f"Maps{r + 1}_T" / f"{stem}_classimg_nonconvex.png", values)
        found[stem.replace("_", "-")] = masks
    return found


def write_isbi(source: Path) -> Masks:
    found = {}
    for patient, time in ((patient, time) for patient in range(1, 6) for time in (1, 2)):
        stem, folder = f"training{patient:02}_{time:02}", source / f"training{patient:02}"
        for c, name in enumerate(("flair", "mprage", "pd", "t2")):
            noise = np.random.default_rng(patient * 10 + time).integers(0, 100, VOLUME) + 1000 * c
            save_volume(folder / "preprocessed" / f"{stem}_{name}_pp.nii", noise)
        masks = {r: box(patient, r, 1, VOLUME) for r in range(2)}
        for r, mask in masks.items():
            save_volume(folder / "masks" / f"{stem}_mask{r + 1}.nii", mask)
        found[f"training{patient:02}-{time:02}"] = masks
    return found


def write_ima(source: Path) -> Masks:
    """Of the first image annotator A04 has an older mask too; the last two images are of one patient."""
    rows, found = [], {}
    for n in range(7):
        name, shape = f"ISIC_{n:07}", (SHAPE[0] + 2 * n, SHAPE[1])
        save(source / "images" / f"{name}.jpg", picture(n, shape), quality=95)
        masks = {4: box(n, 0, 1, shape), 6 + n % 3: box(n, 3, 1, shape)}
        wanted = [(f"A{r:02}", f"57be{r:020x}", mask) for r, mask in masks.items()]
        wanted += [("A04", f"0000{n:020x}", masks[4] * 0)] * (n == 0) + [("ST", "ST", masks[4] * 0)]
        for annotator, made, mask in wanted:
            file = f"{name}_{annotator}_T1_S1_{made}.png"
            save(source / "segs" / file, mask * 255)
            rows.append([name, f"{name}.JPG", file, annotator, "T1", "S1", made, "0"])
        found[name] = masks
    columns = ["ISIC_id", "img_filename", "seg_filename", "annotator", "tool", "skill_level", "mskObjectID", "mask_md5"]
    for name in ("IMAplusplus_multiannotator_subset_seg_metadata.csv", "IMAplusplus_seg_metadata.csv"):
        write_list(source / name, [columns, *rows])
    images = [[f"ISIC_{n:07}", "", "IP_1" if n > 4 else ""] for n in range(7)]
    write_list(source / "IMAplusplus_img_metadata.csv", [["isic_id", "lesion_id", "patient_id"], *images])
    return found


def write_list(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


@dataclass(frozen=True)
class Public:
    """One data set in small.

    Attributes:
        name: of the data set.
        release: where its table is.
        write: writes the files into a folder.
        counts: the images that are written, by part.
        image, mask: the files of one case.
        case, rater: whose they are: id and column.
        part: a folder in the release that may be given by mistake; empty where there is none.
        hidden: may a mask be missing without a word?
    """

    name: str
    release: str
    write: Callable[[Path], Masks]
    counts: Mapping[str, int]
    image: str
    mask: str
    case: str
    rater: int = 0
    part: str = ""
    hidden: bool = False


PUBLIC = (
    Public(
        "drive", "mrbench_vessels.releases:DRIVE", write_drive, {"training": 3, "test": 3},
        "test/images/02_test.tif", "test/2nd_manual/02_manual2.gif", "test-02", 1, "test",
    ),
    Public(
        "chase-db1", "mrbench_vessels.releases:CHASE", write_chase, {"": 12},
        "Image_02R.jpg", "Image_02R_2ndHO.png", "02R", 1,
    ),
    Public(
        "stare", "mrbench_vessels.releases:STARE", write_stare, {"": 6},
        "stare-images/im0002.ppm.gz", "labels-vk/im0002.vk.ppm.gz", "im0002", 1, "labels-vk",
    ),
    Public(
        "curvas-2024", "mrbench_curvas.release:CURVAS", write_curvas,
        {"training_set": 3, "validation_set": 1, "testing_set": 2},
        "training_set/UKCHLL002/image.nii.gz", "training_set/UKCHLL002/annotation_3.nii.gz",
        "training_set-UKCHLL002", 2, "training_set",
    ),
    Public(
        "chaksu", "mrbench_chaksu.release:CHAKSU", write_chaksu, {"Train": 5, "Test": 2},
        "Train/1.0_Original_Fundus_Images/Forus/22.png", "Train/4.0_OD_CO_Fusion_Images/Expert 4/Forus/22glsusp.tif",
        "Train-Forus-22", 3, "Train",
    ),
    Public(
        "gleason-2019", "mrbench_gleason.release:GLEASON", write_gleason, {"": 12},
        "Train Imgs/slide002_core012.jpg", "Maps3_T/slide002_core012_classimg_nonconvex.png", "slide002-core012", 2,
        "Train Imgs", hidden=True,
    ),
    Public(
        "isbi-2015-ms", "mrbench_isbi_ms.release:ISBI_MS", write_isbi, {"": 10},
        "training02/preprocessed/training02_01_flair_pp.nii", "training02/masks/training02_01_mask2.nii",
        "training02-01", 1, "training02",
    ),
    Public(
        "ima-plus-plus", "mrbench_ima.releases:IMA", write_ima, {"": 7},
        "images/ISIC_0000001.jpg", f"segs/ISIC_0000001_A07_T1_S1_57be{7:020x}.png", "ISIC_0000001", 7, "segs",
    ),
    Public(
        "ima-plus-plus-all", "mrbench_ima.releases:IMA_ALL", write_ima, {"": 7},
        "images/ISIC_0000001.jpg", f"segs/ISIC_0000001_A07_T1_S1_57be{7:020x}.png", "ISIC_0000001", 7, "segs",
    ),
)  # fmt: skip
