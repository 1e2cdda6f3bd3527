"""Which names proxy/settings.py reads from the environment, as its source says."""

from __future__ import annotations

import ast
import re

from tests.bench.processes import ROOT

_NAME = re.compile(r"[A-Z][A-Z_]+")


def setting_names() -> set[str]:
    """The first argument of every call of `env.kind("NAME", …)` and of the file's own readers, such as `_json`."""
    tree = ast.parse((ROOT / "proxy" / "settings.py").read_text())
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (ast.unparse(node.func).startswith("env.") or ast.unparse(node.func) in own)
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and _NAME.fullmatch(node.args[0].value)
    }
