"""Events: written with the change that they tell of, carried out by the relay, handled once by subscriptions.

What others import: `event` (typed classes), `envelope` (what travels), `outbox` (numbers, feed, pruning),
`subscription` (who handles what), `provider` (what makes a service publish and subscribe). Nothing outside
this package publishes. Importing the package itself loads nothing.
"""
