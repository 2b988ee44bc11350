"""What is installed: listed, described and checked; and what is begun."""
