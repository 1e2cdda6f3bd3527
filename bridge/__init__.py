"""What the wire formats mean and how GitHub Copilot is spoken to. Pure Python, no Django."""
