"""Since when an object's latest specification waits for its controller.

Knows conditions and who wrote what; refuses to guess where the object tells neither.
"""

from fleettui.index.rows import Row
from fleettui.kinds.moments import unix_seconds
from fleettui.kinds.specification import SPECIFIED_AT


def waiting_since(row: Row) -> int:
    """The earliest moment since which it can wait, Unix seconds.

    Conditions keep their times while nobody looks: on an object that was well for months the
    change of a second ago would seem ignored for months, did managedFields not tell its time.
    """
    told = max((c.since for c in row.conditions), default=row.created_at)
    return max(told, unix_seconds(row.fact(SPECIFIED_AT)))
