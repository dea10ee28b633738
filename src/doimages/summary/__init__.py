"""A look at a whole account: its figures, drawn and as frames."""
