"""Read documents: published pages, YAML and JSON, strictly, with the lines of everything."""
