"""Alembic migrations of the store; `runtime.store.opening` runs them."""
