"""Recruitment tension of métiers: published, surveyed, through FAP-2021, and a branch's own."""
