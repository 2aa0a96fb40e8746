"""Read overlays, apply them strictly, and edit ours."""
