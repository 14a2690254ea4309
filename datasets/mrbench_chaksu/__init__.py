"""Optic disc and cup on fundus photographs of three cameras, each outlined by the same five ophthalmologists."""

from mrbench.cards import DatasetCard
from mrbench.hooks import hookimpl

MRBENCH_API = "2"

CHAKSU = DatasetCard(
    name="chaksu",
    code="mrbench_chaksu.release:CHAKSU.load",
    config="mrbench_chaksu.config:ChaksuConfig",
    prepare="mrbench_chaksu.release:CHAKSU.prepare",
    summary="Chákṣu: 1,345 fundus photographs of three cameras, optic disc rim and cup, five identified raters",
    citation="Kumar et al., Chákṣu: A glaucoma specific fundus image database, Scientific Data 10:70, 2023",
    licence="CC BY 4.0",
    source="Chákṣu: figshare.com/articles/dataset/20123135; download Train.zip and Test.zip and unpack them into one "
    "folder (some 70 GB)",
)


@hookimpl
def mrbench_datasets() -> list[DatasetCard]:
    return [CHAKSU]
