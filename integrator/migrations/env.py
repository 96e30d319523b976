"""How alembic meets our databases: `integrator.database` hands over the connection and the room; it commits, not we."""

from alembic import context

connection = context.config.attributes["connection"]
room = context.config.attributes["room"]
context.configure(connection=connection, version_table=f"{room}_version", transactional_ddl=False)
context.run_migrations()
