"""What people decided: comments that suppress, the baseline, attestations; and what was there before a change."""
