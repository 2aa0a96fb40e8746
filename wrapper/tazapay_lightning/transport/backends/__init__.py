"""What carries a request: httpx, aiohttp, and the connections and guards that both need."""
