"""What is imported before the first frame, and how text reaches widgets."""

import ast
import subprocess
import sys
from pathlib import Path

import fleettui.tui

_PACKAGE = Path(fleettui.tui.__file__).parent
_PARSING = {
    "Static",
    "Label",
    "Button",
    "notify",
    "add_column",
    "add_columns",
    "add_row",
    "add_option",
    "update",
    "from_markup",
    "Option",
    "Tab",
    "Collapsible",
    "Checkbox",
    "Markdown",
}
"""Calls of Textual and rich that read markup from a str."""
_TITLES = {"border_title", "border_subtitle", "title", "sub_title", "tooltip"}


def test_import_app_leaves_the_client_library_for_later():
    """Importing the API client before the first frame would double the time to it."""
    code = (
        "import sys, fleettui.tui.app; "
        "print([m for m in ('aiohttp', 'kubernetes_asyncio', 'ssl') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "aiohttp" not in done.stdout
    assert "kubernetes_asyncio" not in done.stdout


def test_startup_prepare_is_light_and_sets_the_policy():
    """The timer's rate is read when Textual is imported: later is too late."""
    code = (
        "import sys, gc, os; from fleettui.tui.startup import prepare; prepare(); "
        "assert 'textual' not in sys.modules; assert not gc.isenabled(); "
        "import textual.constants as c; assert c.MAX_FPS == 240, c.MAX_FPS; "
        "assert sys.getswitchinterval() < 0.001"
    )
    environment = {"PATH": "", "PYTHONPATH": str(_PACKAGE.parent.parent)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_built_text(node: ast.expr) -> bool:
    """Whether an expression puts a str together, or hands one on that nobody here wrote."""
    if isinstance(node, ast.Constant):
        return False
    return isinstance(node, ast.JoinedStr | ast.BinOp) or (
        isinstance(node, ast.Call) and _name(node.func) in ("format", "join", "str")
    )


def _offences(tree: ast.AST) -> list[int]:
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in _PARSING:
            no_markup = any(
                k.arg == "markup" and isinstance(k.value, ast.Constant) and k.value.value is False
                for k in node.keywords
            )
            is_notify = _name(node.func) == "notify"
            built = any(_is_built_text(argument) for argument in node.args)
            if (is_notify and not no_markup) or (built and not no_markup):
                lines.append(node.lineno)
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if (
                    isinstance(target, ast.Attribute)
                    and target.attr in _TITLES - {"title"}
                    and not isinstance(node.value, ast.Constant)
                ):
                    lines.append(node.lineno)
    return lines


def test_source_hands_no_built_text_to_markup_parsers():
    """A message from a cluster that is read as markup can run actions and crash the app."""
    found = {
        f"{path.relative_to(_PACKAGE)}:{line}"
        for path in sorted(_PACKAGE.rglob("*.py"))
        for line in _offences(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert not found


def test_lint_finds_what_it_is_there_for():
    """A lint that finds nothing anywhere proves nothing."""
    bad = "self.notify(f'{message}')\nStatic(f'{name}')\nw.border_title = name\nLabel('a' + b)"
    assert sorted(_offences(ast.parse(bad))) == [1, 2, 3, 4]
    good = "self.notify(text, markup=False)\nStatic('fixed')"
    assert not _offences(ast.parse(good))
