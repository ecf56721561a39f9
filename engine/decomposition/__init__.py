"""From a product order to lines of all levels."""
