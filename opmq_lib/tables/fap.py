"""The codes of FAP-2009: how many characters each level has."""

DOMAIN_LENGTH, FAMILY_LENGTH, METIER_LENGTH = 1, 3, 5
"""Domains (FAP-22), families (FAP-87), métiers (FAP-225): a code begins with that of its family."""

NOT_CODED = "ZZZ"
"""Family of those whose métier the survey could not tell."""
