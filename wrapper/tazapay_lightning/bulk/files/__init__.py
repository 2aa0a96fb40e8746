"""What the command `bulk` makes of files: orders read, a journal and results written, runs resumed."""
