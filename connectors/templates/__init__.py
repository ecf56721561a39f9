"""Request and response templates: values encoded for where they stand, answers read by declared types."""
