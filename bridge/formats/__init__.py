"""The wire formats, one room each. Which there are, `bridge/crossing.py` lists."""
