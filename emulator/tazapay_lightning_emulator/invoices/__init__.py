"""Invoices: their states, their payment requests, and the database that stores them."""
