"""Connect Auditor: decides whether an OAuth 2.0 application may go live."""

__version__ = "0.1.0"
