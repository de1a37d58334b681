"""A CRM's copy of customers, CPEs, lines and actions, kept in step with the platform. See the README."""
