"""Which annotations are of one nodule: the collection does not say, for its readers worked on their own.

The rule is pylidc's: annotations whose points come as near as the slice thickness belong together (single linkage).
While a nodule has more annotations than there are readers, the distance shrinks by a tenth, for the whole scan.
"""

from collections.abc import Sequence

import numpy as np

from mrbench_lidc.annotations import Annotation

READERS = 4
SHRINK = 0.9
LEAST_MM = 0.1


def group(annotations: Sequence[Annotation], spacing: float, thickness: float) -> list[list[int]]:
    """The annotations of each nodule, by place, in the order of the first of each.

    Two annotations of one reader that come near enough both count: the database does not tell readers apart.

    Args:
        annotations: of one scan.
        spacing: mm between pixels.
        thickness: mm of a slice: the distance that is tried first.

    Returns:
        Groups; one may still have more than four where outlines touch at the least distance.
    """
    distances = _distances(annotations, spacing)
    near = thickness
    groups = _linked(distances <= near)
    while max(map(len, groups), default=0) > READERS and near * SHRINK >= LEAST_MM:
        near *= SHRINK
        groups = _linked(distances <= near)
    return groups


def _distances(annotations: Sequence[Annotation], spacing: float) -> np.ndarray:
    """``(A, A)`` least distances between points, in mm."""
    from scipy.spatial import cKDTree

    clouds = [_points(annotation, spacing) for annotation in annotations]
    trees = [cKDTree(cloud) for cloud in clouds]
    distances = np.zeros((len(clouds), len(clouds)))
    for a, tree in enumerate(trees):
        for b in range(a):
            distances[a, b] = distances[b, a] = np.min(tree.query(clouds[b])[0])
    return distances


def _points(annotation: Annotation, spacing: float) -> np.ndarray:
    parts = [
        np.column_stack([outline.points * spacing, np.full(len(outline.points), outline.z)])
        for outline in annotation.outlines
    ]
    return np.concatenate(parts)


def _linked(near: np.ndarray) -> list[list[int]]:
    from scipy.sparse.csgraph import connected_components

    if not len(near):
        return []
    n, labels = connected_components(near, directed=False)
    groups = [np.flatnonzero(labels == label).tolist() for label in range(n)]
    return sorted(groups)
