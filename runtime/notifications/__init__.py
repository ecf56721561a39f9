"""Tells the outside what orders publish: by webhook, by e-mail, into a file."""
