"""Every benchmark that a user can name is there."""

import ast
from importlib.util import find_spec
from pathlib import Path

from myriorama.bench.catalogue import MODULES, MODULES_OF_FILES, MODULES_OF_LOGS


def test_each_name_stands_for_a_module_that_measures() -> None:
    for module in [*MODULES.values(), *MODULES_OF_FILES.values(), *MODULES_OF_LOGS.values()]:
        found = find_spec(f"myriorama.bench.{module}")

        assert found is not None, module
        assert found.origin is not None
        program = ast.parse(Path(found.origin).read_text())
        names = [each.name for each in program.body if isinstance(each, ast.FunctionDef)]
        assert "measure" in names, module
