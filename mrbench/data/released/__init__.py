"""Data sets as their authors gave them out: a table says which file is whose, and one reader reads them all."""
