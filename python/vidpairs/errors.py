"""The error of a data set that cannot be read."""


class DatasetError(Exception):
    """A data set, or a part of it, is missing, damaged, unfinished or newer than this reader. The text names file and reason."""
