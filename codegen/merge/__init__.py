"""Merge published pages into the document, its text spliced byte for byte."""
