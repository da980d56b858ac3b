"""Firms compare an order with those of the second before it, unless they have said otherwise."""

from django.db import migrations

FIRST_LIMIT = """
INSERT INTO risk_risklimit (scope, target, rule, value, enabled, updated_at, updated_by) VALUES
    ('tenant', '', 'duplicate_order', 1, true, now(), 'system:setup')
ON CONFLICT (scope, target, rule) DO NOTHING
"""


class Migration(migrations.Migration):

    dependencies = [
        ('risk', '0003_console_indexes'),
    ]

    operations = [
        migrations.RunSQL(FIRST_LIMIT, migrations.RunSQL.noop),
    ]
