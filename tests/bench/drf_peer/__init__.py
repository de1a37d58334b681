"""The peer: the same two endpoints as a plain, well-kept Django REST framework project serves them.

It stands for the monolith that the platform replaces, and is built to be as fast as its idiom allows:
where a choice was open, the faster one was taken and a comment says so.
"""
