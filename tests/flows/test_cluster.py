"""The cluster that starts at the side of a stage that needs no workers; who may talk to it."""

import datetime
import ipaddress
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from distributed import Client
from distributed.security import Security

from flows.cluster import PRELOADED, Cluster
from flows.settings import DaskTls
from tests.conftest import BIN, free_port
from warehouse.errors import ClusterError, InputError


def _imported() -> set[str]:
    return set(PRELOADED) & set(sys.modules)


def test_workers_started_in_the_background_have_imported_the_stages() -> None:
    with Cluster(None, 1, 2 * 10**9) as cluster:
        cluster.start_soon()
        cluster.start_soon()
        client = cluster.client()
        assert list(client.run(_imported).values()) == [set(PRELOADED)]
        assert cluster.client() is client
        _nobody_else_talks_to(client.scheduler_info()["address"])


def test_ctrl_c_in_a_terminal_is_not_for_workers() -> None:
    with Cluster(None, 1, 2 * 10**9) as cluster:
        client = cluster.client()
        (worker,) = client.run(os.getpid).values()
        os.kill(worker, signal.SIGINT)
        time.sleep(0.5)
        assert list(client.run(os.getpid).values()) == [worker]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def _nobody_else_talks_to(address: str) -> None:
    """Neither without a certificate nor with one of another cluster."""
    assert address.startswith("tls://127.0.0.1:")
    for tried, security in (
        (address.replace("tls:", "tcp:"), None),
        (address, Security.temporary()),
    ):
        with pytest.raises((OSError, TimeoutError)):
            Client(tried, security=security, timeout=4)


def test_a_scheduler_that_is_not_there_is_told_when_it_is_wanted_not_before() -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    with Cluster(address, 1, 10**9) as cluster:
        cluster.start_soon()
        with pytest.raises(ClusterError, match=address):
            cluster.client()


def _key(file: Path) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return key


def certificates(folder: Path) -> DaskTls:
    """Make an authority and one certificate by it, as an operator would."""
    now = datetime.datetime.now(datetime.UTC)
    authority_key, key = _key(folder / "ca.key"), _key(folder / "node.key")
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    node = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node")])
    for subject, public, file in (
        (authority, authority_key.public_key(), "ca.pem"),
        (node, key.public_key(), "node.pem"),
    ):
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        signed = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(file == "ca.pem", None), critical=True)
            .add_extension(names, critical=False)
            .sign(authority_key, hashes.SHA256())
        )
        (folder / file).write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    return DaskTls(ca=folder / "ca.pem", cert=folder / "node.pem", key=folder / "node.key")


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[str, DaskTls]]:
    """A scheduler and a worker that ask for certificates, as docs/operations.md starts them."""
    tls = certificates(tmp_path)
    address = f"tls://127.0.0.1:{free_port()}"
    files = (("--tls-ca-file", tls.ca), ("--tls-cert", tls.cert), ("--tls-key", tls.key))
    flags = [part for flag, path in files for part in (flag, str(path))]
    processes = []
    try:
        for command in (
            ["scheduler", "--host", address, "--no-dashboard"],
            [
                "worker",
                address,
                "--nthreads",
                "1",
                "--no-dashboard",
                "--local-directory",
                str(tmp_path),
            ],
        ):
            with (tmp_path / f"{command[0]}.log").open("wb") as log:
                processes.append(
                    subprocess.Popen([BIN / "dask", *command, *flags], stdout=log, stderr=log)
                )
            time.sleep(0.5)
        yield address, tls
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_a_scheduler_that_asks_for_certificates(secured: tuple[str, DaskTls]) -> None:
    address, tls = secured
    deadline = time.monotonic() + 120
    while True:
        try:
            with Cluster(address, 1, 10**9, tls) as cluster:
                assert cluster.client().submit(sum, [1, 2]).result(timeout=120) == 3
            break
        except ClusterError:  # it is still starting
            assert time.monotonic() < deadline
    with Cluster(address, 1, 10**9) as cluster, pytest.raises(ClusterError, match=address):
        cluster.client()


def test_certificates_that_are_of_no_use_are_named(tmp_path: Path) -> None:
    tls = certificates(tmp_path)
    for useless, named in (
        (DaskTls(ca=tls.ca, cert=tls.cert), r"dask_tls cannot be used .*node\.pem"),
        (DaskTls(ca=tmp_path / "none.pem", cert=tls.cert, key=tls.key), r"none\.pem"),
    ):
        with (
            Cluster("tls://127.0.0.1:1", 1, 10**9, useless) as cluster,
            pytest.raises(InputError, match=named),
        ):
            cluster.client()
