"""Editions: what a CPNEFP has validated, frozen in an archive, rebuilt, compared with another."""
