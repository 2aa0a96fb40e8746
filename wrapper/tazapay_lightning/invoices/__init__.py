"""The request for an invoice, the invoice in the reply, their comparison, and the wait for its payment. Pure."""
