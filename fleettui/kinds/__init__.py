"""What one document means: kinds as data, readers, records, verdicts, relations."""

from typing import TYPE_CHECKING

from fleettui.deferred import deferred

if TYPE_CHECKING:
    from fleettui.kinds.contract import PrinterColumn, has_contract, read_version
    from fleettui.kinds.reader import Reader
    from fleettui.kinds.record import ObjectKey, ObjectRef, Record, Verdict
    from fleettui.kinds.spec import KindSpec
    from fleettui.kinds.table import KindTable, check_file, load_table

__getattr__ = deferred(
    __name__,
    {
        "KindSpec": "spec",
        "KindTable": "table",
        "ObjectKey": "record",
        "ObjectRef": "record",
        "PrinterColumn": "contract",
        "Reader": "reader",
        "Record": "record",
        "Verdict": "record",
        "check_file": "table",
        "has_contract": "contract",
        "load_table": "table",
        "read_version": "contract",
    },
)

__all__ = [
    "KindSpec",
    "KindTable",
    "ObjectKey",
    "ObjectRef",
    "PrinterColumn",
    "Reader",
    "Record",
    "Verdict",
    "check_file",
    "has_contract",
    "load_table",
    "read_version",
]
