"""The database engine of the project: Django's PostgreSQL backend, bound to a tenant."""
