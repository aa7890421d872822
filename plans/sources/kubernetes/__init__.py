"""Kubernetes, from text to changes: `yaml` to `objects` with their operations, and `effects` judges each."""
