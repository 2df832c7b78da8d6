//! Durable state: SQLite by default, PostgreSQL beside it, behind one set of operations.

#![forbid(unsafe_code)]
