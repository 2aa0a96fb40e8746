"""What was asked for, what came back, whether the two are the same, and when it is paid. Pure."""
