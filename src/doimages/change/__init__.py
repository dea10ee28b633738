"""Changing images: plans, guards, a journal, and reports of what became of each image."""
