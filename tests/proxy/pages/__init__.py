"""The pages for people, asked by Django's test client."""
