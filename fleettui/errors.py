"""The one tree of errors a person can meet.

Every error carries a hint: what the person can do next. Front ends print
``str(error)`` and ``error.hint`` on one line each and leave with
``error.exit_code``; nothing below them prints.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """Documented exit codes of the program."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INCOMPLETE = 3
    MATCHED = 4
    REFUSED = 5
    INTERRUPTED = 130


class FleettuiError(Exception):
    """A failure told in one line, with what to do about it."""

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str = "", where: str = "") -> None:
        """Keep one line of text, the place it is about and the next step.

        Args:
            message: what is wrong, without a trailing full stop.
            hint: what the person can do next; empty if there is nothing.
            where: file:line, context, URL or argument that the message is about.
        """
        super().__init__(f"{where}: {message}" if where else message)
        self.hint = hint
        self.where = where


class UsageError(FleettuiError):
    """Arguments, configuration or an expression cannot be used as they are."""

    exit_code = ExitCode.USAGE


class ConnectError(FleettuiError):
    """A cluster cannot be reached, or its answer is incomplete."""

    exit_code = ExitCode.INCOMPLETE


class RefusedError(FleettuiError):
    """The program declines to do what was asked, with the reason."""

    exit_code = ExitCode.REFUSED


class UnreadableError(FleettuiError):
    """A document or file cannot be understood."""

    exit_code = ExitCode.USAGE
