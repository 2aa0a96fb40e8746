"""What `./generate.sh` runs: from Tazapay's published document to the committed client.

Read `regeneration` first: it says what happens in which order. The rest has one duty for each module.
"""
