"""How fulfilment goes: what happened, counted by hour, and reports over it."""
