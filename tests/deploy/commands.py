"""What deployment files tell our commands to do, read by the commands' own parsers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer

import sandbox.cli
import verifier.cli
from sandbox.listening import read

PROGRAMS = {"touchstone": verifier.cli.app, "touchstone-sandbox": sandbox.cli.app}


def options(command: Sequence[str]) -> Mapping[str, Any]:
    """The options of a command line, by parameter; raises what the command would end with."""
    program, name, *given = command
    group: Any = typer.main.get_command(PROGRAMS[program])
    params: Mapping[str, Any] = group.commands[name].make_context(name, list(given)).params
    return params


def protected(serve: Mapping[str, Any]) -> bool:
    """Whether a server is told what it must be told to listen where it does."""
    open_ports = [serve["listen"]] if not serve.get("tls_cert") else []
    if serve.get("metrics_port") is not None:
        open_ports.append(f"{serve['metrics_host']}:{serve['metrics_port']}")
    return serve["insecure"] or all(read(one).local for one in open_ports)
