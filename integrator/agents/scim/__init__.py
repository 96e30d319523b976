"""SCIM 2.0 (RFC 7643, 7644) as data in, data out: schemas, filters, patches, pages and bulk, without HTTP or a database."""
