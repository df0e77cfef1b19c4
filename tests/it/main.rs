//! One test binary: what is tested where is in the names of the modules.
#![allow(clippy::unwrap_used, missing_docs)]

mod apply;
mod complaints;
mod delivery;
mod differential;
mod examples;
mod fixture;
mod generated;
mod generator;
mod judges;
mod lab;
mod lookup;
mod next_hops;
mod oracle;
mod parameters;
mod plan;
mod roundtrip;
mod rows;
mod rules;
mod server;
mod several;
mod tables;
mod tidy;
mod tls_client;
mod transcripts;
mod wrong_input;
