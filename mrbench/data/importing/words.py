"""What the words in the names of files and folders mean to most people."""

import re

IMAGE_WORDS = """
image images img imgs scan scans original originals orig raw input inputs picture pictures photo photos
ct mr mri t1 t1c t1ce t2 flair pet us
"""

MASK_WORDS = """
mask masks seg segs segmentation segmentations label labels labelmap labelmaps annotation annotations annotator
annotators anno annos gt ground groundtruth truth contour contours outline outlines delineation delineations
expert experts rater raters reader readers observer observers grader graders roi rois
"""

IMAGE, MASK = frozenset(IMAGE_WORDS.split()), frozenset(MASK_WORDS.split())


def has_word(text: str, words: frozenset[str]) -> bool:
    """Is one of the words in it, next to digits or to no letter?"""
    tokens = re.findall(r"[a-z]+", text.lower()) + re.findall(r"[a-z0-9]+", text.lower())
    return not words.isdisjoint(tokens)


def is_bare(text: str, words: frozenset[str]) -> bool:
    """Is it made of such words alone?"""
    tokens = re.findall(r"[a-z0-9]+", text.lower())
    return bool(tokens) and words.issuperset(tokens)
