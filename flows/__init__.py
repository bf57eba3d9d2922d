"""What runs: the Prefect flows, their settings and the command line."""
