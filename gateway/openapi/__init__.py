"""The OpenAPI 3.1 document, made from the route table and the contracts and from nothing else.

`document` is the whole of it; the modules beside it each make one part. Nothing here is written
by hand per resource, so a new service is documented by being declared.
"""

from gateway.openapi.document import document

__all__ = ["document"]
