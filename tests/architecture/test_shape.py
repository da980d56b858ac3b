"""Sizes, papers and boundaries that an import linter cannot see."""

import ast
import re

import pytest
from django.apps import apps as django_apps
from django.conf import settings
from django.db.models import Field
from source_tree import APPS, LAYERS, ROOT, dotted, package_of, sources, tree_of, walk, where

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 70
WRITES = {
    "abulk_create",
    "acreate",
    "adelete",
    "aupdate",
    "bulk_create",
    "bulk_update",
    "create",
    "delete",
    "get_or_create",
    "select_for_update",
    "update",
    "update_or_create",
}
# The nightly checkers and the demo's reset may look at and lock others' rows; nothing may write.
LOCKS_ONLY = {"select_for_update"}


def test_files_stay_readable_in_one_go():
    long = {
        str(path.relative_to(ROOT)): count
        for path in sources()
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > MAX_FILE_LINES
    }
    assert long == {}


def test_functions_fit_on_a_screen():
    long = [
        f"{where(path, node)} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for path, node in walk()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert long == []


@pytest.mark.parametrize("app", APPS)
def test_every_app_introduces_itself(app):
    page = ROOT / app / "README.md"
    assert page.is_file(), f"{app} has no README.md"
    lines = page.read_text(encoding="utf-8").splitlines()
    assert 3 <= len(lines) <= 40
    assert (ROOT / app / "apps.py").is_file()


def test_no_module_is_a_drawer_for_everything():
    names = {"utils", "helpers", "misc", "util", "helper"}
    assert [path for path in sources() if path.stem in names] == []


def rank(app_label):
    return LAYERS.index(app_label)


def our_models():
    return [
        model
        for model in django_apps.get_models(include_auto_created=True)
        if model._meta.app_label in LAYERS
    ]


def test_no_foreign_key_points_up_the_layers():
    upward = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in our_models()
        for field in model._meta.get_fields()
        if isinstance(field, Field) and field.is_relation and field.related_model is not None
        if field.related_model._meta.app_label in LAYERS
        and rank(field.related_model._meta.app_label) > rank(model._meta.app_label)
    ]
    assert upward == []


def test_string_references_to_models_point_down_as_well():
    pattern = re.compile(rf"({'|'.join(APPS)})\.[A-Z]\w+")
    upward = [
        f"{where(path, node)} {node.value}"
        for path, node in walk(*APPS)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and pattern.fullmatch(node.value)
        and rank(node.value.partition(".")[0]) > rank(package_of(path))
    ]
    assert upward == []


def test_the_apps_are_installed_and_the_tenants_apps_in_the_order_of_the_layers():
    assert {app for app in settings.INSTALLED_APPS if app in LAYERS} == set(LAYERS) - {"trading"}
    ours = [app for app in settings.TENANT_APPS if app in LAYERS]
    assert ours == sorted(ours, key=rank)
    assert not set(ours) & {"tenants", "accounts", "marketdata"}, "those are shared by all firms"


def models_by_class_name():
    owners = {}
    for model in our_models():
        owners.setdefault(model.__name__, set()).add(model._meta.app_label)
    return owners


def imported_from(path):
    """Which app each imported name comes from, by the import statements of the file."""
    return {
        alias.asname or alias.name: (node.module or "").partition(".")[0]
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def foreign_writes(path, model_names):
    """Chains like ``Other.objects.filter().update()`` on a model imported from another app."""
    origin = imported_from(path)
    for node in ast.walk(tree_of(path)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr not in WRITES - LOCKS_ONLY:
            continue
        inner = node.func.value
        while isinstance(inner, ast.Call | ast.Attribute | ast.Subscript):
            if isinstance(inner, ast.Attribute) and inner.attr == "objects":
                break
            inner = inner.func if isinstance(inner, ast.Call) else inner.value
        else:
            continue
        name = dotted(inner.value)
        owner = origin.get(name, package_of(path))
        if name in model_names and owner in APPS and owner != package_of(path):
            yield f"{where(path, node)} {name}.objects...{node.func.attr}"


def test_rows_are_written_by_the_app_that_owns_them():
    names = models_by_class_name()
    strangers = [hit for path in sources(*APPS, "config") for hit in foreign_writes(path, names)]
    assert strangers == []


def test_the_check_for_foreign_writes_sees_one(tmp_path, monkeypatch):
    monkeypatch.setattr("source_tree.ROOT", tmp_path)
    sample = tmp_path / "oms" / "services.py"
    sample.parent.mkdir()
    sample.write_text(
        "from risk.models import Halt\n"
        "from oms.models import Order\n"
        "Halt.objects.filter(id=1).update(reason='')\n"
        "Halt.objects.filter(id=1).exists()\n"
        "Order.objects.create()\n"
    )
    hits = list(foreign_writes(sample, {"Halt": {"risk"}, "Order": {"oms"}}))
    assert hits == ["oms/services.py:3 Halt.objects...update"]


def test_broker_adapters_do_not_know_each_other():
    home = ROOT / "brokers" / "adapters"
    adapters = {path.name for path in home.iterdir() if (path / "__init__.py").is_file()}
    assert "paper" in adapters
    strangers = [
        f"{where(path, node)} {node.module}"
        for path, node in walk("brokers")
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("brokers.adapters.")
        for other in [node.module.split(".")[2]]
        if home in path.parents
        and other in adapters
        and other not in path.parts
        and path.parent != home
    ]
    assert strangers == []


def test_requirements_name_no_package_index():
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    assert locks
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text), lock.name
        assert "--hash=sha256:" in text, lock.name


def test_nothing_of_the_source_names_a_machine():
    home = re.compile(r"(?<![\w.])/(home|Users|root)/\w")
    named = [
        f"{where(path, node)} {node.value[:60]!r}"
        for path, node in walk()
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and home.search(node.value)
    ]
    assert named == []
