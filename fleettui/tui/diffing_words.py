"""Words behind ``:diff``: which revision an object is compared with, and how.

Knows the options that the command line has for the same; compares nothing.
"""

from fleettui.desired.desired_diff import Mode
from fleettui.desired.sources import Want, Wanted
from fleettui.errors import UsageError
from fleettui.fleet.diffs import Question

_HINT = ":diff [--dry-run] [--applied | --latest] OBJECT, or :diff --ref BRANCH [URL]"
_WANTS = {"--applied": Want.APPLIED, "--latest": Want.LATEST}


def parse_question(argument: str) -> tuple[str, Question]:
    """The object that is named, and what it is to be compared with.

    Raises:
        UsageError: an unknown word, two revisions, or not one object.
    """
    words = argument.split()
    options = {word for word in words if word.startswith("--")}
    names = [word for word in words if not word.startswith("--")]
    wants = [want for word, want in _WANTS.items() if word in options]
    unknown = sorted(options - _WANTS.keys() - {"--dry-run"})
    if unknown:
        raise UsageError(f"not understood: {' '.join(unknown)}", hint=_HINT)
    if len(wants) > 1 or len(names) != 1:
        raise UsageError("one object and at most one revision", hint=_HINT)
    mode = Mode.DRY_RUN if "--dry-run" in options else Mode.READ_ONLY
    return names[0], Question(Wanted(wants[0]) if wants else None, mode)
