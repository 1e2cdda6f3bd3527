"""What GitHub says is left of a seat: readings, the levels seat choice goes by, and when a seat runs out."""
