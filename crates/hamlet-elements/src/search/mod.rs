//! General search (csp-access 9; data-types 5), of the common features of the service access
//! point (architecture document 5.3.6).
//!
//! A search covers the users and groups of the home domain. What it finds is kept for its session until
//! it has been told, page by page.

mod criteria;
mod expression;
mod find;
mod groups;
mod online;
mod pages;
mod running;
mod types;

pub(crate) use running::Running;
pub use types::{
    ContinueSearch, FoundUser, Hits, NamedElement, Page, PageSize, Search, SearchConfig,
    SearchElement, SearchPair, StopSearch,
};
