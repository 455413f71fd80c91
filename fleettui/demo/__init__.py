"""Pretend management clusters: real HTTP API servers, a kubeconfig and a git repository.

Imports nothing else of the product, so it can serve as an independent oracle in tests.
"""
