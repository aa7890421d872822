"""Calls of AWS, Google Cloud and Azure, in records or command lines: each one's names, and the rules they share."""
