"""The house keeps its order: imports go down only, heavy ones wait until they are needed, modules stay short."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "gandream"
FILES = sorted(PACKAGE.rglob("*.py"))

FLOORS = {
    "base": 0,
    "recipe": 1,
    "audio": 2,
    "models": 2,
    "effects": 2,
    "video": 2,
    "latents": 3,
    "training": 3,
    "trajectory": 4,
    "rendering": 5,
    "run": 6,
    "studio": 7,
    "cli": 8,
}
ROOF = {"__init__.py", "__main__.py"}
HEAVY = {"torch", "librosa", "scipy", "PIL"}
MOST_LINES = 400
ON_A_DEVICE = {
    *(
        "models/activations.py",
        "models/arguments.py",
        "models/attention.py",
        "models/bending.py",
        "models/convolution.py",
    ),
    "rendering/grid.py",
    "rendering/pace.py",
    *("models/masks.py", "models/noise.py", "models/oklab.py", "models/regions.py", "models/upsampling.py"),
    *("models/reduced.py", "models/reduced_block.py"),
    *("trajectory/feed.py", "rendering/paint.py"),
}
"""Modules that work on tensors alone; others import them inside functions, which the tests of loading prove."""


@cache
def imports(file: Path) -> tuple[tuple[str, int, bool], ...]:
    """Every module that a file imports, wherever in it: full name, line, and whether loading the file loads it."""
    return tuple(found_in(file))


def statements(node: ast.AST, loading: bool = True) -> Iterator[tuple[ast.AST, bool]]:
    """Every import in a tree, and whether loading the file runs it: not in functions, nor for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, loading
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from statements(child, loading=False)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from statements(ast.Module(child.body, []), loading=False)
            yield from statements(ast.Module(child.orelse, []), loading)
        elif isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):  # there are none within expressions
            yield from statements(child, loading)


def found_in(file: Path) -> Iterator[tuple[str, int, bool]]:
    tree = ast.parse(file.read_text("utf-8"), str(file))
    here = ["gandream", *file.relative_to(PACKAGE).with_suffix("").parts]
    for node, loading in statements(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, loading) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = [*(here[: len(here) - node.level] if node.level else []), *(node.module or "").split(".")]
            module = ".".join(part for part in parts if part)
            yield module, node.lineno, loading
            yield from ((f"{module}.{alias.name}", node.lineno, loading) for alias in node.names)


def test_every_package_has_its_floor():
    packages = {path.name for path in PACKAGE.iterdir() if path.is_dir() and any(path.rglob("*.py"))}
    assert packages <= set(FLOORS)
    assert {file.name for file in PACKAGE.glob("*.py")} == ROOF


def shown(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def test_there_are_modules_to_look_at():
    assert len(FILES) > 300
    assert {"recipe", "audio", "models", "run", "cli"} < {file.relative_to(PACKAGE).parts[0] for file in FILES}


def climbs(file: Path) -> list[str]:
    """What a file imports from its own height or from above."""
    if file.parent == PACKAGE:
        return []
    package, wrong = file.relative_to(PACKAGE).parts[0], []
    for module, line, _ in imports(file):
        root, _, inside = module.partition(".")
        target = inside.partition(".")[0]
        if root != "gandream" or target == package:
            continue
        if not target:  # `from gandream import recipe` is told by its second name
            names = [name for name, other, _ in imports(file) if other == line and name.startswith("gandream.")]
            wrong += [] if any(name.split(".")[1] in FLOORS for name in names) else [f"{line}: the package root"]
        elif target not in FLOORS:
            wrong.append(f"{line}: the package root ({module})")
        elif FLOORS[target] >= FLOORS[package]:
            wrong.append(f"{line}: {module} (floor {FLOORS[target]}) from floor {FLOORS[package]}")
    return wrong


def test_imports_only_go_down():
    assert [f"{shown(file)}:{wrong}" for file in FILES for wrong in climbs(file)] == []


def builds_networks(file: Path) -> bool:
    """Files of a model family and of training may load torch; what finds a family or resolves settings may not."""
    parts = file.relative_to(PACKAGE).parts
    learns = parts[0] == "training" and parts[1:] not in (("__init__.py",), ("settings.py",), ("presets.py",))
    return learns or (parts[0] == "models" and len(parts) > 2) or "/".join(parts) in ON_A_DEVICE


def test_heavy_modules_wait_until_they_are_needed():
    found = [
        f"{shown(file)}:{line}: {module}"
        for file in FILES
        if not builds_networks(file)
        for module, line, loading in imports(file)
        if loading and module.partition(".")[0] in HEAVY
    ]
    assert found == []


def test_librosa_is_only_in_audio():
    places = [
        (file, line) for file in FILES for module, line, _ in imports(file) if module.partition(".")[0] == "librosa"
    ]
    assert places
    assert [f"{shown(file)}:{line}" for file, line in places if file.relative_to(PACKAGE).parts[0] != "audio"] == []


def test_modules_are_short():
    lengths = {shown(file): len(file.read_text("utf-8").splitlines()) for file in FILES}
    assert {name: length for name, length in lengths.items() if length >= MOST_LINES} == {}


def loaded_by(code: str, *names: str) -> set[str]:
    """Which of the modules are loaded after the code has run in a fresh Python."""
    code = f"import sys\ntry:\n    {code}\nfinally:\n    print('LOADED', *({set(names)!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    return set(result.stdout.rpartition("LOADED")[2].split()) if "LOADED" in result.stdout else {result.stderr}


WATCHED = ("torch", "librosa", "scipy", "PIL", "soundfile", "imageio", "imageio_ffmpeg", "pydantic", "yaml")


def test_importing_gandream_is_light():
    assert loaded_by("import gandream", *WATCHED, "numpy", "typer", "rich") == set()


def test_help_is_light():
    run = "sys.argv = ['gandream', '--help']; import runpy; runpy.run_module('gandream', run_name='__main__')"
    assert loaded_by(run, *WATCHED) == set()
    assert loaded_by(run, "gandream.cli.main") == {"gandream.cli.main"}


def test_the_watcher_sees_what_is_loaded():
    assert loaded_by("import yaml", *WATCHED) == {"yaml"}


def test_imports_are_found_wherever_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    (tmp_path / "run").mkdir()
    file = tmp_path / "run" / "film.py"
    file.write_text("import a.b\nif TYPE_CHECKING:\n    from c import d\ndef f():\n    from ..video import join\n")
    assert set(imports(file)) == {
        ("a.b", 1, True),
        ("c", 3, False),
        ("c.d", 3, False),
        ("gandream.video", 5, False),
        ("gandream.video.join", 5, False),
    }


def test_validating_loads_no_torch():
    run = "from gandream.recipe.load import load_recipe; load_recipe('recipes/latent_walk.yaml')"
    assert loaded_by(run, "torch", "librosa", "scipy", "PIL", "soundfile", "imageio_ffmpeg") == set()


def test_the_face_is_complete_and_lazy():
    import gandream

    assert set(dir(gandream)) == {"analyse", "load_generator", "load_recipe", "render", "__version__"}
    assert gandream.load_recipe.__module__ == "gandream.recipe.load"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        gandream.nothing  # noqa: B018


def test_no_package_hides_a_name_of_the_face():
    import gandream

    assert not set(FLOORS) & set(dir(gandream)), "importing a package sets its name on the root"
