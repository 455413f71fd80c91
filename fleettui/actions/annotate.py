"""Annotate: set or remove annotations.

Knows only which field it is about; the rules are those of ``metadata``.

Source: Kubernetes object metadata.
"""

from fleettui.actions.metadata import metadata_recipe

VERB = "annotate"
RECIPE = metadata_recipe(VERB, "annotations")
needs, plan = RECIPE.needs, RECIPE.plan
