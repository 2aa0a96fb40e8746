"""What Tazapay answers: its operations, credentials, bodies and replies."""
