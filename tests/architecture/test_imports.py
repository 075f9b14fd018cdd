"""What no linter contract can say about imports."""

import sys

import grimp


def test_the_domain_needs_only_the_standard_library_and_eventsourcing() -> None:
    graph = grimp.build_graph("domain", include_external_packages=True)
    modules = graph.find_descendants("domain") | {"domain"}

    needed = {
        imported.partition(".")[0]
        for module in modules
        for imported in graph.find_modules_directly_imported_by(module)
    }

    assert needed - sys.stdlib_module_names <= {"domain", "eventsourcing"}


def test_a_projection_needs_only_events_and_postgresql() -> None:
    graph = grimp.build_graph("projections", "domain", include_external_packages=True)
    modules = graph.find_descendants("projections")

    needed = {
        imported.partition(".")[0]
        for module in modules
        for imported in graph.find_modules_directly_imported_by(module)
    }

    assert needed - sys.stdlib_module_names <= {"domain", "projections", "psycopg"}
