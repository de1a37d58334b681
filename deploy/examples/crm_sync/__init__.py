"""A CRM's copy of customers, CPEs and lines, kept in step with the platform. See the README."""
