"""The program against its peers and against the plain way, in one run each: ``python -m benchmarks cnf``."""
