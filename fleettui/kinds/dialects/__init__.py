"""The named ways of reading health out of a document."""

from collections.abc import Mapping

from fleettui.kinds.dialects.argo import ARGO, ARGO_SET
from fleettui.kinds.dialects.capi import CAPI
from fleettui.kinds.dialects.cloud import ACK, ASO, CONFIG_CONNECTOR, CROSSPLANE
from fleettui.kinds.dialects.evidence import Dialect as Reading
from fleettui.kinds.dialects.evidence import Evidence, Judgement
from fleettui.kinds.dialects.flux import FLUX, FLUX_REPORT, TERRAFORM
from fleettui.kinds.dialects.plain import FLAG, KSTATUS, STATIC
from fleettui.kinds.dialects.pool import POOL
from fleettui.kinds.dialects.workload import WORKLOAD
from fleettui.kinds.spec import Dialect

DIALECTS: Mapping[Dialect, Reading] = {
    Dialect.CAPI: CAPI,
    Dialect.FLUX: FLUX,
    Dialect.FLUX_REPORT: FLUX_REPORT,
    Dialect.ARGO: ARGO,
    Dialect.ARGO_SET: ARGO_SET,
    Dialect.ASO: ASO,
    Dialect.ACK: ACK,
    Dialect.CONFIG_CONNECTOR: CONFIG_CONNECTOR,
    Dialect.CROSSPLANE: CROSSPLANE,
    Dialect.FLAG: FLAG,
    Dialect.KSTATUS: KSTATUS,
    Dialect.POOL: POOL,
    Dialect.TERRAFORM: TERRAFORM,
    Dialect.STATIC: STATIC,
    Dialect.WORKLOAD: WORKLOAD,
}

__all__ = ["DIALECTS", "Evidence", "Judgement", "Reading"]
