"""Label: set or remove labels.

Knows only which field it is about; the rules are those of ``metadata``.

Source: Kubernetes object metadata.
"""

from fleettui.actions.metadata import metadata_recipe

VERB = "label"
RECIPE = metadata_recipe(VERB, "labels")
needs, plan = RECIPE.needs, RECIPE.plan
