"""What tests share: servers, clocks, shops, JupyterLab, worker processes."""
