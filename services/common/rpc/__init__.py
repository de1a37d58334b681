"""How a call travels between the gateway and the services. Nothing outside this package knows.

What others import: `reply` and `client` (the interface), `amqp` or `local` (a client), `entrypoint` (what a
service class is made of), `runner` (its process), `green` (first of all in a green process).
Importing the package itself loads nothing: the gateway must not load nameko or eventlet.
"""
