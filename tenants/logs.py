"""Log lines say for which firm they are written."""

import logging

from tenants.binding import bound_schema


class TenantFilter(logging.Filter):
    """Adds ``tenant`` to each record: the bound schema, or a dash."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Never drops a record."""
        record.tenant = bound_schema() or "-"
        return True
