"""fleettui: what a fleet of Kubernetes clusters is made of, what is broken, and why."""

__version__ = "0.1.0"
