"""The durable half of the host: orders, their tasks and journal, and everything that waits, in one database."""
