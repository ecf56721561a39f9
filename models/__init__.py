"""What things are: catalog, rules, tasks, the compiled design, orders, lines, plans, journal. Depends on no other room."""
