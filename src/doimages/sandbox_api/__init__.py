"""An embedded stand-in for DigitalOcean's images API; it shares no code with the client."""
