"""The chart repositories that the fleet's releases name, as folders on this machine.

Knows where charts lie and how `local-sources.yaml` names them; what they hold is data.
"""

from __future__ import annotations

import re
from pathlib import Path

from fleettui.demo.world.providers import data_file


def write_charts(folder: Path) -> list[dict[str, str]]:
    """Write all charts below a folder; entries of `local-sources.yaml` for their repositories."""
    sources = []
    for url, files in data_file("charts.yaml").items():
        place = folder / re.sub(r"[^a-z0-9]+", "-", url.partition("://")[2])
        for path, text in files.items():
            target = place / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        sources.append({"url": url, "path": str(place)})
    return sources
