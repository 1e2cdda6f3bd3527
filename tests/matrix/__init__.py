"""What crosses from which door to which upstream format: measured on the crossing itself and shown in the README."""
