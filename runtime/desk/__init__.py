"""Who gets which work, and how long they keep it."""
