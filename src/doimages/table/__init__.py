"""Listings as typed frames."""
