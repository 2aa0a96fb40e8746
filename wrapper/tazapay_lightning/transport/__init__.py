"""One call and its attempts: whatever happens ends as a documented error that carries the key."""
