"""`python -m dse` is the command line."""

from dse.cli.main import entry

if __name__ == "__main__":
    entry()
