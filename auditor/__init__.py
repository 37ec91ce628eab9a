"""Connect Auditor: decides whether an OAuth 2.0 application may go live."""
