"""Values that git does not tell: encrypted, or from a Secret that may not be read.

They travel inside rendered objects as marked text, match any live value where they
stand, and are shown by their label. Knows nothing of why a value is not known.
"""

import re

_BEGIN = "\ue000"
_END = "\ue001"
_MARK = re.compile(f"{_BEGIN}([^{_BEGIN}{_END}]*){_END}")


def unknown_text(label: str) -> str:
    """Text that stands for a value nobody told."""
    return f"{_BEGIN}{label}{_END}"


def is_unknown(value: object) -> bool:
    """Whether a value is or contains text that nobody told."""
    return isinstance(value, str) and _BEGIN in value


def could_equal(desired: str, live: object) -> bool:
    """Whether a text with unknown parts may be the live value."""
    pieces = _MARK.split(desired)[::2]
    if pieces == ["", ""]:
        return True
    pattern = ".*".join(re.escape(piece) for piece in pieces)
    return re.fullmatch(pattern, str(live), re.DOTALL) is not None


def shown_text(text: str) -> str:
    """A text with the labels of its unknown parts."""
    return _MARK.sub(lambda match: f"<{match[1]}>", text)
