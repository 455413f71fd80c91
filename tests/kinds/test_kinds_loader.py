"""Data entries: what is understood, and what a person is told about a mistake."""

from pathlib import Path

import pytest

from fleettui.errors import UnreadableError
from fleettui.kinds import check_file, load_table
from fleettui.kinds.loader import plural_of
from fleettui.kinds.spec import Depth, Dialect, Limits, Role

GOOD = """\
group: example.org
defaults: {provider: Example, versions: [v1]}
templates: [WidgetTemplate]
kinds:
  - kind: WidgetMachine
    role: infra_machine
    short_names: [wm]
    relations: [node_host: {annotation: example.org/host, group: example.org, kind: Host}]
    columns:
      STATE: {paths: [status.state, "status.history[0].state"], searchable: true, render: state}
    limits: {in_progress_s: 60, terminating_s: 30}
  - kind: Gadget
    group: gadgets.example.org
    role: other
    plural: gadgetry
    dialect: kstatus
    pause_annotations: {example.org/stop: "yes"}
"""


@pytest.fixture
def write(tmp_path):
    """Writes a kinds file and returns its path."""

    def written(text: str) -> Path:
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return path

    return written


def test_load_own_file_adds_kinds_with_role_defaults(write):
    """A person's own provider would need everything spelled out."""
    path = write(GOOD)
    table = load_table([path])
    spec = table.spec_for("example.org", "WidgetMachine")
    assert spec is not None
    assert (spec.role, spec.depth, spec.dialect) == (Role.INFRA_MACHINE, Depth.LEAF, Dialect.CAPI)
    assert spec.plural == "widgetmachines"
    assert spec.limits == Limits(60, 30)
    assert spec.origin == str(path)
    assert {"state", "provider_id", "addresses"} <= {column.name for column in spec.columns}
    assert {"cluster", "cloned_from", "node_host"} <= {r.relation for r in spec.relations}
    template = table.spec_for("example.org", "WidgetTemplate")
    assert template is not None
    assert (template.role, template.provider) == (Role.TEMPLATE, "Example")
    assert table.named("gadgetry").group == "gadgets.example.org"
    assert table.origins()[str(path)] == 3


def test_load_own_entry_replaces_the_built_in_one(write):
    """A correction in kinds.d would have no effect, or leave two kinds of one name."""
    path = write(
        "kinds: [{group: cluster.x-k8s.io, kind: Machine, role: machine, short_names: [mach]}]"
    )
    table = load_table([path])
    assert table.named("mach").origin == str(path)
    assert [spec.group for spec in table.find("machines")] == ["cluster.x-k8s.io"]
    assert table.find("ma") == ()


@pytest.mark.parametrize(
    ("wrong", "right", "line", "message", "hint"),
    [
        ("    colums:", "    columns:", 9, "unknown key 'colums'", "columns"),
        ("role: infra_machin", "role: infra_machine\n", 6, "unknown role", "infra_machine"),
        ("dialect: kstatsu", "dialect: kstatus", 16, "unknown dialect", "kstatus"),
        ("[node_hots:", "[node_host:", 8, "unknown key 'node_hots'", "node_host"),
        ("render: sate", "render: state", 10, "unknown render", "state"),
        ("in_progress_s: soon", "in_progress_s: 60", 11, "whole number", ""),
        ("in_progres_s: 60", "in_progress_s: 60", 11, "unknown key 'in_progres_s'", ""),
        ("[status..state,", "[status.state,", 10, "is not a path", ""),
        ("searchable: maybe", "searchable: true", 10, "true or false", ""),
        ("templates: {a: b}", "templates: [WidgetTemplate]", 3, "expected a text", ""),
        ("kinds: nothing\nx:", "kinds:", 4, "expected a list", ""),
    ],
)
def test_load_mistake_names_file_line_and_nearest_word(write, wrong, right, line, message, hint):
    """A person would search a long file for a typing error."""
    text = GOOD.replace(right.rstrip("\n"), wrong, 1)
    if wrong.startswith("kinds: nothing"):
        text = GOOD[: GOOD.index("kinds:")] + "kinds: nothing\n"
    assert text != GOOD
    path = write(text)
    with pytest.raises(UnreadableError) as caught:
        check_file(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert message in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kinds: [{group: a.b, role: other}]", "without kind"),
        ("kinds: [{kind: A, role: other}]", "without group"),
        ("kinds: [{kind: A, group: a.b}]", "without role"),
        ("group: a.b", "without kinds"),
        ("kinds: [{kind: A, kind: B, group: a.b, role: other}]", "occurs twice"),
        ("kinds: [}", "not YAML"),
        ("kinds: [{kind: A, group: a.b, role: other, home: [parent]}]", "unknown relation"),
        ("kinds: [{kind: A, group: a.b, role: other, columns: {X: {render: text}}}]", "no paths"),
        ("- a", "expected a mapping"),
    ],
)
def test_load_incomplete_file_is_refused(write, text, message):
    """Half an entry would be taken for a whole one."""
    path = write(text)
    with pytest.raises(UnreadableError, match=message) as caught:
        check_file(path)
    assert str(caught.value).startswith(f"{path}:1: ")


def test_load_missing_file_says_so(tmp_path):
    """A traceback would greet whoever mistypes a path."""
    with pytest.raises(UnreadableError, match="cannot be read"):
        check_file(tmp_path / "absent.yaml")


def test_check_good_file_returns_its_entries(write):
    """`fleettui kinds check` could not tell what a file adds."""
    assert [spec.kind for spec in check_file(write(GOOD))] == [
        "WidgetMachine",
        "Gadget",
        "WidgetTemplate",
    ]


@pytest.mark.parametrize(
    ("kind", "plural"),
    [
        ("Machine", "machines"),
        ("GitRepository", "gitrepositories"),
        ("IPAddress", "ipaddresses"),
        ("Gateway", "gateways"),
        ("HelmChartProxy", "helmchartproxies"),
    ],
)
def test_plural_of_usual_kinds(kind, plural):
    """Every entry would have to spell its plural."""
    assert plural_of(kind) == plural
