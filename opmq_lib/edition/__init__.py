"""What one edition holds on disk: its runs, their folders, and whether they are up to date."""
