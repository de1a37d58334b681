"""The lab's executor: runs actions on devices that do not exist, until the services that own them do.

To the platform it is a service like any other: it takes isp's events and reports on its own exchange.
"""
