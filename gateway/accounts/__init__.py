"""Users, groups, permissions, realms and what belongs to one user: the gateway's own resources.

Declared in `contract.py` and answered by the same engine as any service's, in this process.
"""
