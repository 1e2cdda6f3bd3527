"""The rooms of the wire formats; none of them imports another."""
