"""GitHub and Copilot as they are spoken to: identity, sign-in, tokens, model list, quota, transport."""
