"""A policy set as an SQL filter: the rows that one principal may act on."""
