"""A small Kubernetes API server over seeded content; knows nothing of Cluster API."""
