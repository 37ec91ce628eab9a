"""From programs to facts: names are linked, units are walked, and what they do is written down with its conditions."""
