"""Running actions: what the services that own devices have in common (decision 0012 and 0019).

`runs` is the table of what a service was handed, `executor` what runs it.
"""
