"""What a policy set becomes outside this program; each back end agrees with `compiler/reference.py`."""
