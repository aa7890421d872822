"""The messages of the protocol, each handed to the function that answers it."""
