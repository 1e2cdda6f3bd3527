"""What tokens cost: the rate card, its rows and files, and the price computed from it."""
