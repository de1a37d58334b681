"""The resource engine: one declaration in, reads, writes, bulk, export and import out."""
