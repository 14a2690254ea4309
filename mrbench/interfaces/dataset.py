"""A data set: from files, or from nothing, to cases with splits."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Generic, TypeVar

from mrbench.configuration import Config
from mrbench.data.caseset import CaseSet

C = TypeVar("C", bound=Config)


class Dataset(ABC, Generic[C]):
    """Loads the cases of one data set under one configuration."""

    def __init__(self, config: C, folder: Path) -> None:
        """``folder`` is where prepared data live; nothing is written to it here."""
        self.config = config
        self.folder = folder

    @abstractmethod
    def load(self) -> CaseSet:
        """The cases, with a split named ``strict`` that no subject crosses.

        Raises:
            DataAbsentError: the files are not there; says how to get them and which command prepares them.
            DataError: they are there and wrong; names the case.
        """
