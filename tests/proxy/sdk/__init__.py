"""The official SDKs against the gateway, over every crossing."""
