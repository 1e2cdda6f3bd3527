"""A GitHub App with its keys, made once for the tests that need one."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.simulator.apps import Installation, install
from tests.simulator.server import SimulatorServer

CLIENT = "Iv23liAbCdEf"
INSTALLATION = 77
ORGANISATION = "octo-org"


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_key() -> str:
    return _key().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def public_key() -> str:
    return _key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def installed(sim: SimulatorServer) -> Installation:
    """The app, installed at an organisation of the simulated world that pays with credits."""
    sim.world.add_account(ORGANISATION, "business")
    return install(sim.world, ORGANISATION, public_key(), client_id=CLIENT, number=INSTALLATION)
