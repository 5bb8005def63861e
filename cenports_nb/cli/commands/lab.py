"""The command that opens JupyterLab on a copy of the shipped notebooks."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from cenports_nb.cli.notebook_copies import copy_notebooks, summarize_copies
from cenports_nb.cli.terminal import print_status
from cenports_nb.errors import ConfigurationError, InvalidRequestError

FIRST_NOTEBOOK = "tour/1-load.ipynb"
LOOPBACK = "127.0.0.1"


def lab(
    folder: Annotated[
        Path, typer.Option("--folder", metavar="FOLDER", help="The folder for the copy of the notebooks.")
    ] = Path("cenports-notebooks"),
    port: Annotated[
        int | None,
        typer.Option(
            "--port", min=1, max=65_535, metavar="PORT", help="The port of JupyterLab; a free one by default."
        ),
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address; open no browser.")] = False,
    copy_only: Annotated[bool, typer.Option("--copy-only", help="Copy the notebooks; start nothing.")] = False,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- ARGUMENTS]", help="Arguments for JupyterLab."),
    ] = None,
) -> None:
    """Open JupyterLab on a copy of the tour and the reports, on the sandbox; Ctrl-C stops it."""
    from cenports_nb.reports import find_notebook_folder  # noqa: PLC0415

    if port is not None:
        _check_port(port)
    print_status(summarize_copies(copy_notebooks(find_notebook_folder(), folder), folder))
    if copy_only:
        return
    given = [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"] if port is not None else []
    if no_browser:
        given.append("--no-browser")
    _run_lab([*given, *(arguments or [])], folder.resolve())


def _run_lab(arguments: list[str], folder: Path) -> None:
    """Run JupyterLab in this process, so that Ctrl-C and signals reach it directly."""
    try:
        from ipykernel.kernelspec import write_kernel_spec  # noqa: PLC0415
        from jupyterlab.labapp import LabApp  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError(
            f"JupyterLab can't be started ({error}): install it with `pip install jupyterlab`, "
            "or open the copies with another Jupyter (--copy-only)."
        ) from None
    with tempfile.TemporaryDirectory(prefix="cenports-nb-") as made:
        # A `python3` kernel that the user has installed, perhaps of another environment, would take precedence.
        write_kernel_spec(str(Path(made) / "kernels" / "python3"))
        os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [made, os.environ.get("JUPYTER_PATH")]))
        try:
            LabApp.launch_instance(
                [
                    f"--ServerApp.root_dir={folder}",
                    f"--LabApp.default_url=/lab/tree/{FIRST_NOTEBOOK}",
                    "--ServerApp.answer_yes=True",  # one Ctrl-C is enough
                    *arguments,
                ]
            )
        except SystemExit as end:
            is_root = hasattr(os, "geteuid") and os.geteuid() == 0
            if end.code and is_root and not any("root" in argument for argument in arguments):
                raise InvalidRequestError(
                    "JupyterLab does not start for the user root: take another user, or add `-- --allow-root`."
                ) from None
            raise


def _check_port(port: int) -> None:
    """Check that the port is free before anything is copied.

    Raises:
        InvalidRequestError: It isn't.
    """
    with socket.socket() as probe:
        if os.name == "posix":  # as JupyterLab does: a port that was just closed is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise InvalidRequestError(
                f"Port {port} is not available ({error.strerror}). Choose another --port, or leave it out for a free one."
            ) from None
