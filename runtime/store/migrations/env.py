"""Runs migrations on the connection that `runtime.store.opening` hands over."""

from alembic import context

from orderloom.runtime.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
