//! One test binary: what is tested where is in the names of the modules.
#![allow(clippy::unwrap_used, missing_docs)]

mod allowing;
mod apply;
#[cfg(feature = "openssl")]
mod certificates;
mod complaints;
#[cfg(feature = "probe")]
mod connection;
mod copyright;
mod corpus;
mod delivery;
mod differential;
mod downgrade;
mod examples;
mod faults;
mod fingerprint;
mod fixes;
mod fixture;
mod formats;
mod generated;
mod generations;
mod generator;
mod hooks;
mod host;
mod host_part;
mod image;
mod import;
mod judges;
mod lab;
mod locks;
mod lookup;
mod management;
mod next_hops;
mod oracle;
mod package;
mod parameters;
mod pin;
mod pins;
mod plan;
mod plan_file;
#[cfg(feature = "probe")]
mod probe;
#[cfg(feature = "probe")]
mod probe_many;
mod probe_reports;
#[cfg(feature = "probe")]
mod probing;
mod publish;
mod repository;
mod rotation;
mod roundtrip;
mod rows;
mod rules;
mod server;
#[cfg(feature = "probe")]
mod servers;
mod settled;
mod several;
mod shells;
mod staged;
mod tables;
mod tidy;
mod tls_client;
mod tools;
mod transcripts;
mod wrong_input;
mod yaml_edit;
