"""The books: invoices and their lives, payment requests, and the database that holds them."""
