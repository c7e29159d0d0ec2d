"""Each question's own section: its findings, figures and tables, in French."""
