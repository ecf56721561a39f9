"""Who may do what: principals, roles, permissions; and the trail of what people did."""
