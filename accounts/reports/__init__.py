"""Reports from the roll-ups: who used what and what it cost, for the console, the portal and the management API."""

from accounts.reports.dimensions import Dimension, Per
from accounts.reports.measures import Measures, ReportRow
from accounts.reports.query import ReportQuery, parse
from accounts.reports.running import run, totals
from accounts.reports.viewer import Viewer

__all__ = ["Dimension", "Measures", "Per", "ReportQuery", "ReportRow", "Viewer", "parse", "run", "totals"]
