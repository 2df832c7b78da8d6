//! The operator's HTTP API, the audit log, call-detail records, user profiles and applications.

mod api;
mod applications;
mod audit;
mod records;
mod support;
mod user_profiles;
