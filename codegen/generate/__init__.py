"""Check the document, run the generator, and check what it wrote."""
