"""What things are: catalog, rules, tasks, designs, orders, lines, plans, journal. Depends on no other room."""
