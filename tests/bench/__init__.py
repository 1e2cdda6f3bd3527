"""The benchmark: the gateway beside a direct connection to the same upstream, in one run on one machine.

`python -m tests.bench --help` says how. `plan.py` lists what is measured, `load.py` asks the questions, `report.py`
writes the tables; `gateway.py`, `nginx.py` and `upstream.py` start what is measured.
"""
