"""The workbook of a company: who leaves, which of its métiers are tense, and what can be done."""
