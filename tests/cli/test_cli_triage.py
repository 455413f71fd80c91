"""Words for triage over a recording: causes, controllers, paused, changes, overview, report."""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from fleettui.cli.app import COMMANDS
from fleettui.cli.overview_text import Painted, bar, runs_of

Run = Callable[..., Result]


@pytest.fixture
def run(shared_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a word over the recorded incidents, with a state folder of its own."""
    monkeypatch.setenv("FLEETTUI_STATE_HOME", str(tmp_path))
    recording = shared_folder / "recordings" / "capi" / "states" / "3-incidents"

    def call(*words: str) -> Result:
        from importlib import import_module

        module, _, attribute = COMMANDS[words[0]].place.partition(":")
        command = getattr(import_module(module), attribute)
        return CliRunner().invoke(command, [*words[1:], "--from", str(recording)])

    return call


def test_causes_document_keeps_its_contract(run: Run) -> None:
    """Alerts built on it would break silently."""
    document = json.loads(run("causes", "-o", "json").stdout)
    assert document["schema"] == "fleettui.causes/v1"
    first = document["items"][0]
    assert first["rank"] == 1
    assert {"fingerprint", "state", "root", "condition", "reason", "message", "since"} <= set(first)
    assert {"clusters", "objects", "affected", "path", "example"} <= set(first)
    assert set(first["root"]) == {"context", "group", "kind", "namespace", "name"}


def test_mute_words_hide_list_and_show_again(run: Run) -> None:
    """A mute could be made on the screen alone, and by no script."""
    from fleettui.cli.mutes import mute, unmute

    first = json.loads(run("causes", "-o", "json").stdout)["items"][0]["fingerprint"]
    words = CliRunner()
    assert words.invoke(mute, [first, "--reason", "case 12", "--expires", "1d"]).exit_code == 0
    assert "case 12" in words.invoke(mute, []).stdout
    left = json.loads(run("causes", "-o", "json").stdout)["items"]
    assert first not in {item["fingerprint"] for item in left}
    words.invoke(unmute, [first])
    again = json.loads(run("causes", "-o", "json").stdout)["items"]
    assert again[0]["fingerprint"] == first


def test_causes_can_be_ranked_by_a_label(run: Run) -> None:
    """Production comes first, whatever is wider elsewhere."""
    by_name = ("--by", "cluster.x-k8s.io/cluster-name", "--first", "variable-added")
    document = json.loads(run("causes", "-o", "json", *by_name).stdout)
    assert document["items"][0]["root"]["name"] == "variable-added"


def test_why_of_a_reason_in_the_log_alone_says_so(run: Run) -> None:
    """People would search conditions for what no condition holds."""
    told = run("why", "machine/fin/bad-jitter-md-0-b7pt2-2nlpf").stdout
    assert "only the log of its controller can" in told


def test_paused_document_names_who_and_since(run: Run) -> None:
    """A pause without a name cannot be asked about."""
    items = json.loads(run("paused", "-o", "json").stdout)["items"]
    assert [(item["kind"], item["name"]) for item in items] == [("DevCluster", "infra-paused")]
    assert items[0]["who"]
    assert items[0]["since"]


def test_overview_fits_a_small_terminal(run: Run) -> None:
    """Half a picture is no overview."""
    lines = run("overview").stdout.splitlines()
    assert len(lines) <= 24
    assert any("clusters" in line and "failed" in line for line in lines)


def test_report_markdown_escapes_what_clusters_say(run: Run) -> None:
    """A message could ping the whole channel or forge a link."""
    text = run("report", "-o", "markdown").stdout
    assert "fleettui why" in text
    assert "\\[\\]" in text


def test_report_svg_is_a_picture_without_foreign_parts(run: Run) -> None:
    """An incident picture must not load anything from anywhere."""
    text = run("report", "-o", "svg").stdout
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg")
    assert "href" not in text


def test_changes_document_is_newest_first(run: Run) -> None:
    """What happened last is what matters first."""
    items = json.loads(run("changes", "--last", "1h", "-o", "json").stdout)["items"]
    moments = [item["at"] for item in items]
    assert moments
    assert moments == sorted(moments, reverse=True)


def test_bar_shows_every_state_and_keeps_its_width() -> None:
    """One failed cluster of a thousand would vanish."""
    from collections import Counter

    from fleettui.kinds.record import Verdict

    line = bar(Counter({Verdict.FAILED: 1, Verdict.CURRENT: 999}), 20)
    assert len(line) == 20
    assert line.startswith("█")


def test_runs_of_a_bar_have_the_tone_of_what_they_count() -> None:
    """One failed cluster would paint a whole fleet red."""
    runs = runs_of(Painted("  clusters   █━━━ 1 failed, 3 well", "failed"))
    assert [(run.text, run.tone) for run in runs] == [
        ("clusters", ""),
        ("█", "failed"),
        ("━━━", "current"),
        ("1 failed, 3 well", ""),
    ]
    assert [run.column for run in runs] == [2, 13, 14, 18]
