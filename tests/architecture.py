"""The import-linter contract type `allowed`: what a set of modules may import, and nothing besides.

import-linter ships lists of what is forbidden; a rule such as "a domain imports only the standard
library" would go stale there with every new dependency. Only direct imports count.
"""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class AllowedImports(Contract):
    """Options: `importers` and `internal`, patterns of module names in which `*` stands for one name and a
    trailing `.**` for everything below; `external`: `any` package, or only the `stdlib`."""

    type_name: ClassVar[str] = "allowed"

    importers = fields.SetField(subfield=fields.StringField())
    internal = fields.SetField(subfield=fields.StringField())
    external = fields.StringField()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        own = {str(name).partition(".")[0] for name in self.session_options["root_packages"]}
        illegal: list[tuple[str, str]] = []
        for importer in sorted(graph.modules):
            if not _matches(importer, self.importers):
                continue
            for imported in sorted(graph.find_modules_directly_imported_by(importer)):
                package = imported.partition(".")[0]
                if package in own:
                    fine = _matches(imported, self.internal)
                else:
                    fine = str(self.external) == "any" or package in sys.stdlib_module_names
                if not fine:
                    illegal.append((importer, imported))
        return ContractCheck(kept=not illegal, metadata={"illegal": illegal})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["illegal"]:
            output.print_error(f"{importer} must not import {imported}", bold=True)


def _matches(module: str, patterns: Any) -> bool:
    return any(_match(module.split("."), pattern.split(".")) for pattern in patterns)


def _match(names: list[str], pattern: list[str]) -> bool:
    if pattern[-1] == "**":
        head = pattern[:-1]
        return len(names) > len(head) and _match(names[: len(head)], head)
    return len(names) == len(pattern) and all(map(fnmatchcase, names, pattern))
