"""The laws of the house: which package may know which, and what no file may hold."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("bridge", "accounts", "proxy")
IMPURE = frozenset(
    {
        "httpx",
        "httpx_aiohttp",
        "aiohttp",
        "requests",
        "urllib",
        "asyncio",
        "time",
        "random",
        "uuid",
        "logging",
        "socket",
    }
)
ACCOUNTS_MAY_TAKE = ("bridge.copilot", "bridge.errors", "bridge.tally", "bridge.target")


def files(package: str) -> list[Path]:
    return sorted(path for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts)


def imports(path: Path) -> Iterator[tuple[str, ast.stmt]]:
    """Every module that a file names in an import, also inside functions and `if TYPE_CHECKING`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            yield module, node
            yield from ((f"{module}.{alias.name}", node) for alias in node.names)


def roots(path: Path) -> set[str]:
    return {module.split(".", 1)[0] for module, _ in imports(path)}


def module_name(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


@pytest.mark.parametrize("path", files("bridge"), ids=module_name)
def test_bridge_knows_neither_django_nor_the_other_packages(path: Path) -> None:
    assert not roots(path) & {"django", "rest_framework", "channels", "accounts", "proxy", "tests"}


@pytest.mark.parametrize("path", [p for p in files("bridge") if "copilot" not in p.parts], ids=module_name)
def test_what_thinks_in_bridge_has_no_clock_no_network_and_no_dice(path: Path) -> None:
    assert not roots(path) & IMPURE
    assert not [module for module, _ in imports(path) if module.startswith("bridge.copilot")]


@pytest.mark.parametrize("path", files("accounts"), ids=module_name)
def test_accounts_takes_from_bridge_only_the_upstream_client_errors_and_plain_values(path: Path) -> None:
    assert not roots(path) & {"proxy", "tests"}
    taken = [module for module, _ in imports(path) if module == "bridge" or module.startswith("bridge.")]
    assert not [module for module in taken if not module.startswith(ACCOUNTS_MAY_TAKE)]


@pytest.mark.parametrize("path", files("proxy"), ids=module_name)
def test_proxy_defines_no_models(path: Path) -> None:
    assert "tests" not in roots(path)
    bases = [
        ast.unparse(base)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        for base in node.bases
    ]
    assert not [base for base in bases if base in {"models.Model", "Model", "Watched", "Kept"}]


@pytest.mark.parametrize("path", [p for package in PACKAGES for p in files(package)], ids=module_name)
def test_no_import_stands_inside_a_function(path: Path) -> None:
    """But Django's own place for it: `AppConfig.ready` registers what needs the apps loaded."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name != "ready":
            inner = [n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]
            assert not inner, f"{path}:{inner[0].lineno}"


def test_no_format_room_imports_another() -> None:
    rooms = [folder for folder in (ROOT / "bridge" / "formats").iterdir() if (folder / "__init__.py").exists()]
    assert rooms
    for room in rooms:
        others = tuple(f"bridge.formats.{other.name}" for other in rooms if other != room)
        for path in room.rglob("*.py"):
            assert not [module for module, _ in imports(path) if others and module.startswith(others)], path


def test_no_package_imports_in_a_circle() -> None:
    modules = {module_name(path): path for package in PACKAGES for path in files(package)}
    graph = {
        name: {m for m, node in imports(path) if m in modules and m != name and not _for_types_only(path, node)}
        for name, path in modules.items()
    }
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " → ".join([*way[way.index(name) :], name])
        if name in done:
            return
        # A package's __init__ re-exports its parts: what a part imports from it is the part beside it.
        for other in graph[name]:
            if not name.startswith(f"{other}."):
                visit(other, (*way, name))
        done.add(name)

    for name in modules:
        visit(name, ())


def _for_types_only(path: Path, wanted: ast.stmt) -> bool:
    return any(
        isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and _holds(node, wanted)
        for node in ast.walk(ast.parse(path.read_text()))
    )


def _holds(block: ast.If, wanted: ast.stmt) -> bool:
    return any(inner.lineno == wanted.lineno for inner in block.body)


@pytest.mark.parametrize("path", [p for package in PACKAGES for p in files(package)], ids=module_name)
def test_every_file_says_what_it_is_for_and_stays_small(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    if path.name != "__init__.py":
        assert ast.get_docstring(tree), "the file has no docstring"
        assert "from __future__ import annotations" in text
    assert path.stem not in {"utils", "helpers", "common", "base", "misc"}
    assert text.count("\n") <= 400, "the file does more than one thing"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, f"{node.name} does more than one thing"


@pytest.mark.parametrize("path", [p for package in PACKAGES for p in files(package)], ids=module_name)
def test_no_module_keeps_mutable_state(path: Path) -> None:
    """No empty container and no `global` at module level: they are there to be filled."""
    tree = ast.parse(path.read_text())
    for node in tree.body:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        is_empty = (isinstance(value, ast.Dict) and not value.keys) or (isinstance(value, ast.List) and not value.elts)
        assert not is_empty, f"{path}:{node.lineno}"
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Global)]


def test_the_project_stands_alone() -> None:
    """Nothing that is kept names a machine's path, a package index or another project's folder."""
    forbidden = (
        "/" + "work/",
        "../" + "shared",
        "pypi." + "org",
        "python" + "hosted",
        "--index" + "-url",
        "/" + "root/",
    )
    suffixes = {".py", ".md", ".toml", ".txt", ".in", ".yml", ".html", ".css", ".js", ".po", ""}
    skipped = {
        ".venv",
        ".git",
        ".hypothesis",
        "data",
        "data-demo",
        "node_modules",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
    }
    found = []
    for path in ROOT.rglob("*"):
        relative = path.relative_to(ROOT)
        if (
            not path.is_file()
            or path.suffix not in suffixes
            or skipped & set(relative.parts)
            or "venv" in relative.parts[0]
        ):
            continue
        text = path.read_text(errors="replace")
        found += [f"{relative}: {word}" for word in forbidden if word in text]
    assert not found
