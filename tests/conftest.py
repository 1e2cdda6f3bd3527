"""What holds for every test: speed is measured by the benchmark, not by deadlines of generated examples."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")
