"""The profile of ``make run``, with what a measurement changes named by the environment.

``BENCH_ENGINE``: the database engine, to run django-tenants as it comes.
``BENCH_MIGRATIONS``: JSON, packages of migrations by app, for code of a later version.
"""

import json

from config import env
from config.settings.local import *  # noqa: F403 - a profile is the base with its own values
from config.settings.local import DATABASES

DATABASES["default"]["ENGINE"] = env.text("BENCH_ENGINE", DATABASES["default"]["ENGINE"])
MIGRATION_MODULES = json.loads(env.text("BENCH_MIGRATIONS", "{}"))
