"""What is installed: listed, described and checked."""
