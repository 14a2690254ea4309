"""From the challenge's files to the container ``npc.h5``, or ``npc-training-2d.h5`` with ready-made slices."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from mrbench.data.case import Case
from mrbench.data.caseset import CaseSet
from mrbench.data.container import open_container, write_cases
from mrbench.data.description import Description, Raters, Unit
from mrbench_npc.challenge import CHANNELS, LABELS, SIZE, Volume, list_files, list_slices, read_slice, read_volume
from mrbench_npc.config import NpcConfig
from mrbench_npc.splits import SLICES, make_splits
from mrbench_npc.standard import Scale

REPORTED = {"80-20-20": "ProSeg: 5817, 1398, 1126", "100-20": "the per-rater thesis: 2405 train"}
"""Counts of slices in the papers; neither says how it counts."""


def container_name(config: NpcConfig) -> str:
    """The file in the data folder."""
    return "npc-training-2d.h5" if config.slices == SLICES else "npc.h5"


def prepare(source: Path, out: Path, config: NpcConfig) -> str:
    """Writes the container from the folder that holds ``training``, ``validation`` and, if asked for, ``training_2d``.

    Args:
        source: the challenge's folder.
        out: the data folder, or any file of it.
        config: the options; ``slices`` and ``partial`` choose what is written, the others count when it is read.

    Returns:
        What was written, with the slices of each part of each split beside the counts that papers report.

    Raises:
        DataError: files that are absent, damaged or not laid out as the challenge's; names the file.
        MrbenchError: the container cannot be written.
    """
    volumes = list_files(source)
    slices = list_slices(source, volumes) if config.slices == SLICES else {}
    subjects = (*volumes, *(owner for owner, _ in slices.values()))
    splits = make_splits((*volumes, *slices), subjects, config)
    path = (out if out.is_dir() else out.parent) / container_name(config)
    write_cases(path, describe(config), _cases(volumes, slices), splits=lambda _: splits)
    return "\n".join([f"wrote {path}: {len(subjects)} cases", *_counts(open_container(path, "stream"), config)])


def describe(config: NpcConfig) -> Description:
    """The declarations; what is not the whole collection of volumes carries another name: its results stand apart."""
    ready = config.slices == SLICES
    return Description(
        name="npc" + ("-training-2d" if ready else "") + ("-partial" if config.partial else ""),
        version="1",
        classes=("background", "tumour"),
        channels=CHANNELS,
        raters=Raters.IDENTIFIED,
        rater_names=("A1", "A2", "A3", "A4"),
        unit=Unit.VOLUME,
        normalisation="none" if ready else "z-score",
        augmentation=("flip", "rotate90", "rotate", "noise"),
        licence="terms of the MMIS-2024 challenge",
        citation="Wu et al., Diversified and Personalized Multi-rater Medical Image Segmentation, CVPR 2024",
        origin=f"MMIS-2024 challenge, task 1 (NPC-170): training and validation, planes fitted to {SIZE} x {SIZE}"
        + ("; training slices from training_2d, standardised as their volumes" if ready else ""),
    )


def _cases(volumes: Mapping[str, Path], slices: Mapping[str, tuple[str, Path]]) -> Iterator[Case]:
    """Volumes, then slices. With slices all are standardised here, by the volume: a slice alone has another mean."""
    scales: dict[str, Scale] = {}
    for name, path in volumes.items():
        volume = read_volume(path)
        if slices:
            scales[name] = Scale.of(volume.image)
        yield _case(name, name, path, volume, scales.get(name))
    for name, (owner, path) in slices.items():
        yield _case(name, owner, path, read_slice(path), scales[owner])


def _case(name: str, subject: str, path: Path, volume: Volume, scale: Scale | None) -> Case:
    return Case(
        id=name,
        subject=subject,
        image=volume.image if scale is None else scale.apply(volume.image),
        masks=volume.masks,
        present=np.ones(len(LABELS), bool),
        spacing=volume.spacing,
        metadata={
            "file": f"{path.parent.name}/{path.name}",
            "native_shape": list(volume.native),
            "voxel_spacing": list(volume.stored_spacing) if volume.stored_spacing else None,
            "clipped_voxels": volume.clipped,
        },
    )


def _counts(cases: CaseSet, config: NpcConfig) -> Iterator[str]:
    """A line per rule: slices that train, validate and test."""
    depth = np.array([(1, *facts["native_shape"])[-3] for facts in cases.metadata or ()])
    for name, reported in REPORTED.items():
        (fold,) = cases.splits[name].folds
        counts = ", ".join(f"{depth[indices].sum()} {part}" for part, indices in fold.parts().items())
        yield f"slices under {name}: {counts}" + ("" if config.partial else f" ({reported})")
