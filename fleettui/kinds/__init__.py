"""What one document means: kinds as data, readers, records, verdicts, relations."""

from fleettui.kinds.contract import PrinterColumn, has_contract, read_version
from fleettui.kinds.reader import Reader
from fleettui.kinds.record import ObjectKey, ObjectRef, Record, Verdict
from fleettui.kinds.spec import KindSpec
from fleettui.kinds.table import KindTable, check_file, load_table

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
