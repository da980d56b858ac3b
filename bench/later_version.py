"""Code of a later version: the migrations of an app as they are, and one more."""

import shutil
from itertools import count
from pathlib import Path
from textwrap import indent

_numbers = count(1)


def write_later_version(
    directory: Path, *, app: str, migrations: Path, operations: str, before: str = ""
) -> tuple[str, str]:
    """Write a package of migrations into ``directory``; return its name and the new migration's.

    ``migrations`` is the folder to begin with, ``operations`` the text of the new one's list,
    ``before`` what stands above its class.
    """
    package = f"{app}_of_later_version_{next(_numbers)}"
    target = directory / package
    shutil.copytree(migrations, target, ignore=shutil.ignore_patterns("__pycache__"))
    last = max(path.stem for path in target.glob("0*.py"))
    name = f"{int(last[:4]) + 1:04}_later"
    (target / f"{name}.py").write_text(
        "from django.db import migrations, models\n\n"
        f"{before}\n\n"
        "class Migration(migrations.Migration):\n"
        f"    dependencies = [({app!r}, {last!r})]\n"
        f"    operations = {indent(operations, '    ').strip()}\n"
    )
    return package, name
