"""What a statistician reads: tables in, tables out, each formula with its source."""
