"""From the challenge's files to the container ``npc.h5``."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mrbench.data.caseset import CaseSet
from mrbench.data.container import write_container
from mrbench.data.description import Description, Raters, Unit
from mrbench_npc.challenge import CHANNELS, SIZE, Volume, list_files, read_volume
from mrbench_npc.config import NpcConfig
from mrbench_npc.splits import make_splits

FILE = "npc.h5"


def prepare(source: Path, out: Path, config: NpcConfig) -> None:
    """Writes the container from the folder that holds ``training`` and ``validation``.

    Args:
        source: the challenge's folder.
        out: the container to write, or the folder to write ``npc.h5`` to.
        config: the options; they choose splits only, and those are chosen again when the container is read.

    Raises:
        DataError: files that are absent, damaged or not laid out as the challenge's; names the file.
        MrbenchError: the container cannot be written.
    """
    files = list_files(source)
    ids = tuple(files)
    splits = make_splits(ids, config)
    pixels = _ChallengePixels(list(files.values()))
    volumes = [_facts(pixels.volume(index), path) for index, path in enumerate(files.values())]
    cases = CaseSet(
        description=describe(config),
        pixels=pixels,
        ids=ids,
        subjects=ids,
        present=np.ones((len(ids), 4), bool),
        splits=splits,
        spacings=tuple(spacing for spacing, _ in volumes),
        metadata=tuple(metadata for _, metadata in volumes),
    )
    write_container(out / FILE if out.is_dir() else out, cases)


def describe(config: NpcConfig) -> Description:
    """The declarations; an incomplete collection carries another name, so that its results stand apart."""
    return Description(
        name="npc-partial" if config.partial else "npc",
        version="1",
        classes=("background", "tumour"),
        channels=CHANNELS,
        raters=Raters.IDENTIFIED,
        rater_names=("A1", "A2", "A3", "A4"),
        unit=Unit.VOLUME,
        normalisation="z-score",
        augmentation=("flip", "rotate90", "rotate", "noise"),
        licence="terms of the MMIS-2024 challenge",
        citation="Wu et al., Diversified and Personalized Multi-rater Medical Image Segmentation, CVPR 2024",
        origin=f"MMIS-2024 challenge, task 1 (NPC-170): training and validation, planes fitted to {SIZE} x {SIZE}",
    )


def _facts(volume: Volume, path: Path) -> tuple[tuple[float, ...] | None, dict[str, Any]]:
    return volume.spacing, {
        "file": f"{path.parent.name}/{path.name}",
        "native_shape": list(volume.native),
        "voxel_spacing": list(volume.stored_spacing) if volume.stored_spacing else None,
        "clipped_voxels": volume.clipped,
    }


class _ChallengePixels:
    """Reads one file at a time: a case's image and masks are asked for one after the other."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files
        self.volume = lru_cache(maxsize=1)(self._volume)

    def __len__(self) -> int:
        return len(self._files)

    def image(self, index: int) -> np.ndarray:
        return self.volume(index).image

    def masks(self, index: int) -> np.ndarray:
        return self.volume(index).masks

    def _volume(self, index: int) -> Volume:
        return read_volume(self._files[index])
