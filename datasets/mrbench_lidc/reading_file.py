"""The collection's XML files: one per series, with the reading session of each of its four anonymous readers.

    LidcReadMessage
      ResponseHeader / SeriesInstanceUid
      readingSession (one per reader)
        unblindedReadNodule (one per nodule): characteristics / subtlety ... malignancy;
          roi (one per outline): imageZposition, imageSOP_UID, inclusion TRUE or FALSE,
            edgeMap (one per point): xCoord, yCoord
        nonNodule: ignored

Namespaces differ between files and are ignored. A nodule below 3 mm has one point on one slice, and is left out. Files
whose root is another message (radiographs) are none of ours.
"""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.parsers import expat

import numpy as np

from mrbench.errors import DataError
from mrbench_lidc.annotations import RATINGS, Annotation, Outline, Reading, as_rating

MAX_BYTES = 2**24
MAX_DEPTH = 32


def read_reading_file(path: Path) -> Reading | None:
    """The outlines in one file; None where its root is no CT reading.

    Raises:
        DataError: not XML, with a document type (entities could be declared there), too large or too deep, without a
            series, or with an outline that is none.
    """
    try:
        root = _parsed(path)
        if _name(root) != "lidcreadmessage":
            return None
        series = next((_text(node) for node in root.iter() if _name(node) == "seriesinstanceuid"), "")
        if not series:
            raise ValueError("no SeriesInstanceUid")
        nodules = (node for session in _children(root, "readingsession") for node in _nodules(session))
        return Reading(series, tuple(annotation for node in nodules if (annotation := _annotation(node))))
    except (OSError, ValueError, OverflowError, LookupError, ElementTree.ParseError, expat.ExpatError) as error:
        raise DataError(
            f"{path} is no reading of LIDC-IDRI",
            expected="an XML file of the collection",
            found=f"{error}"[:200],
            hint="download the file again",
        ) from error


def _parsed(path: Path) -> Element:
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES} bytes")
    _check_plain(content)
    return ElementTree.fromstring(content)


def _check_plain(content: bytes) -> None:
    # A first pass that keeps nothing: entities can only be declared in a document type.
    depth = 0

    def refuse(*_: object) -> None:
        raise ValueError("it has a document type")

    def enter(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH}")

    def leave(_: object) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler, parser.StartElementHandler, parser.EndElementHandler = refuse, enter, leave
    parser.Parse(content, True)


def _name(node: Element) -> str:
    return str(node.tag).rpartition("}")[2].lower()


def _children(node: Element, name: str) -> Iterator[Element]:
    return (child for child in node if _name(child) == name)


def _text(node: Element | None) -> str:
    return (node.text or "").strip() if node is not None else ""


def _value(node: Element, name: str) -> str:
    return _text(next(_children(node, name), None))


def _nodules(session: Element) -> Iterator[Element]:
    return _children(session, "unblindedreadnodule")


def _annotation(node: Element) -> Annotation | None:
    outlines = tuple(_outline(roi) for roi in _children(node, "roi"))
    if all(len(outline.points) == 1 for outline in outlines):
        return None
    rated = next(_children(node, "characteristics"), None)
    ratings = tuple(as_rating(_value(rated, name.lower())) if rated is not None else 0 for name in RATINGS)
    return Annotation(outlines, ratings)


def _outline(roi: Element) -> Outline:
    points = [(int(_value(point, "xcoord")), int(_value(point, "ycoord"))) for point in _children(roi, "edgemap")]
    inclusion = _value(roi, "inclusion").upper()
    if inclusion not in ("TRUE", "FALSE"):
        raise ValueError(f"inclusion is {inclusion[:20]!r}, not TRUE or FALSE")
    return Outline(
        np.array(points, np.int64).reshape(-1, 2),
        float(_value(roi, "imagezposition")),
        _value(roi, "imagesop_uid"),
        inclusion == "TRUE",
    )
