"""Interventions on many failed tasks or orders at once: paced, watched, and resumed wherever the worker was killed."""
