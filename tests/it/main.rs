//! One test binary: what is tested where is in the names of the modules.
#![allow(clippy::unwrap_used, missing_docs)]

mod fixture;
mod generated;
mod rules;
mod tidy;
