"""A small shop that takes Lightning payments through `tazapay_lightning`: an example to read and to copy from.

=============  =======================================================================================
module         its one duty
=============  =======================================================================================
catalogue      what is for sale, priced in satoshi
orders         orders, their invoices and the states between them: pure
order_store    the same in SQLite, so that a restart forgets nothing
changes        tells open pages that an order changed
streams        server-sent events for them
payments       the money: ask for an invoice, look at it, decide what a look means
following      one background task per unsettled invoice: asks again, waits, polls
webhooks       the endpoint that Tazapay notifies
forms          what was filled in, and what is wrong with it
fiat           the price in another currency, to be shown
pages          HTML, of templates/
problems       the pages for what went wrong
security       headers that limit what a page may do
app            the routes
server         the web server
__main__       the command line
=============  =======================================================================================
"""
