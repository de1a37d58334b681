"""What the verbs on the routes do, one function per kind of action."""
