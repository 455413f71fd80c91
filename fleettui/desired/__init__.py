"""What git says should be there, and how a cluster differs from it.

From the outside in: ``kustomization_diff``, ``helm_diff`` and ``argo_diff`` compare one
GitOps object (``desired_diff`` holds what they share and the result); ``references``
compares two branches over a fleet before a merge; ``diff_lines`` and ``diff_forms`` turn
results into lines, JSON, patches and Markdown. Below them ``sources`` and ``git`` bring
files, ``render``, ``build`` and ``substitution`` make objects of them, ``compare`` and
``object_diff`` judge one object.

Knows nothing of contexts, credentials, screens or the command line: live objects come
through a reader that the caller gives, files through the person's git.
"""
