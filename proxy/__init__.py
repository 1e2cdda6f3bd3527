"""The Django project and every door."""
