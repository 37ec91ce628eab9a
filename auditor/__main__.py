"""`python -m auditor` is the command `connect-auditor`."""

from auditor.cli import main

if __name__ == "__main__":
    main()
