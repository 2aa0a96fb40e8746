"""The notices that an invoice was paid: what they say, and their delivery."""
