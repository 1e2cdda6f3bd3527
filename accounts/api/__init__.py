"""The management API under /api/: the rows of the console for programs, by the same roles.

authentication   who asks: a session of the pages, or a key that names the management API
access           what whoever asks may see and do; one rule per view, and no view without a rule
resource         what every view has in common
listing          pages, order and filters of lists
money            how amounts are written
faults           what went wrong, in one shape
urls             the addresses
"""
