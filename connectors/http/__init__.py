"""The connector kind `http`."""

from orderloom.connectors.http.connector import HttpConnector

__all__ = ["HttpConnector"]
