"""What people write and what travels: amounts, memos, JSON, moments, text for messages. Pure."""
