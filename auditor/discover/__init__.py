"""Which files count, read from the working directory, git's index or a commit."""
