//! The operator's HTTP API, the audit log, call-detail records, user profiles, applications,
//! and the commands of users and operators as processes.

mod api;
mod applications;
mod audit;
mod commands;
mod records;
mod support;
mod user_profiles;
