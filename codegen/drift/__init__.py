"""Compare two states of the document, and say what that means for the wrapper and its users."""
