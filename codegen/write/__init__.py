"""Put files and folders in place: alone, and all of them or none."""
