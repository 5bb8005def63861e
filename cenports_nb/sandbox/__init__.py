"""A stateful stand-in for the Cenports API: a real HTTP server on loopback that shares no code with the client."""

from cenports_nb.sandbox.account.authentication import CLIENT_ID, CLIENT_SECRET, PARTNER_ID
from cenports_nb.sandbox.clock import Clock
from cenports_nb.sandbox.dialect import Dialect
from cenports_nb.sandbox.http.faults import Fault, Faults
from cenports_nb.sandbox.http.service import Request
from cenports_nb.sandbox.sandbox import Sandbox

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "PARTNER_ID", "Clock", "Dialect", "Fault", "Faults", "Request", "Sandbox"]
