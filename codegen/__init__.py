"""What `./generate.sh` runs: from Tazapay's published document to the committed client.

Read `regeneration` first, and `importing` for `--import`: they say what happens in which order. The rest has one duty
for each module.
"""
