"""The clocks of work items: in what time each is to be done, by which calendar, and what happens if it is not."""
