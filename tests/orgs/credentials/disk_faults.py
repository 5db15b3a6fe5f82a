"""Functions that stand in for one of `os` and fail as a full or broken disk does."""

import errno


def no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def io_error(*_: object) -> None:
    raise OSError(errno.EIO, "Input/output error")
