"""The pages for people: home, sign-in, password, and connecting a GitHub account."""
