"""The committed stubs are what proto/ compiles to, and carry no run-time version check."""

from __future__ import annotations

import filecmp
import subprocess
from pathlib import Path

import pytest
from google.protobuf.descriptor import FileDescriptor

from sandbox.v1 import sandbox_pb2
from verifier.v1 import verifier_pb2

ROOT = Path(__file__).parents[2]
STUBS = [
    f"{package}/v1/{package}_pb2{suffix}"
    for package in ("verifier", "sandbox")
    for suffix in (".py", ".pyi", "_grpc.py", "_grpc.pyi")
]


def test_stubs_are_what_the_contract_compiles_to(tmp_path: Path) -> None:
    subprocess.run(["make", "proto", f"PROTO_OUT={tmp_path}"], cwd=ROOT, check=True)
    _, differ, missing = filecmp.cmpfiles(ROOT, tmp_path, STUBS, shallow=False)
    assert not differ, f"run `make proto`: {differ} differ from proto/"
    assert not missing


def test_stubs_do_not_bind_the_protobuf_version() -> None:
    for stub in STUBS:
        assert "ValidateProtobufRuntimeVersion" not in (ROOT / stub).read_text()


@pytest.mark.parametrize("contract", [verifier_pb2.DESCRIPTOR, sandbox_pb2.DESCRIPTOR])
def test_every_field_is_commented(contract: FileDescriptor) -> None:
    lines = (ROOT / "proto" / contract.name).read_text().splitlines()
    for message in contract.message_types_by_name.values():
        for field in message.fields:
            end = f" {field.name} = {field.number};"
            declared = [n for n, line in enumerate(lines) if end in line]
            assert declared, f"{message.name}.{field.name}: not found"
            for n in declared:
                assert "//" in lines[n - 1] + lines[n], f"{lines[n].strip()}: no comment"
