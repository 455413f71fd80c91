"""One Cluster API cluster described the way ``clusterctl describe cluster`` does.

``inventory`` holds the objects, ``build`` makes the tree, ``render`` prints it.
"""

from fleettui.fleet.describe.build import Options, build_tree
from fleettui.fleet.describe.inventory import Inventory
from fleettui.fleet.describe.node import Node
from fleettui.fleet.describe.render import describe_form, describe_lines

__all__ = ["Inventory", "Node", "Options", "build_tree", "describe_form", "describe_lines"]
