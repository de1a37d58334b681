"""Webhooks: a service's events, signed, to URLs that a realm subscribed, until each was taken or given up.

`contract` declares the two resources, `rules` and `operations` are their behaviour, `courier` sends what
`deliveries` says is due, through `sender`, which asks `guard` where it may go. Standard Webhooks 1.0
(https://www.standardwebhooks.com). Importing the package itself loads nothing.
"""
