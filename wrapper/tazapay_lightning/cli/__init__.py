"""The command line ``tazapay-lightning`` (extra ``[cli]``), on top of the public names."""
