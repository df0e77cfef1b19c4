//! postls reads what Postfix reads, says what Postfix will do, and changes it safely.
//!
//! # The map
//!
//! ```text
//!   configuration directory              postls.yaml            DNS and servers
//!            │                                │                       │
//!            ▼                                ▼                       ▼
//!       host ──────► text::Sources ◄──────────┘                     probe
//!                        │                                            │
//!          ┌─────────────┴──────────┐                                 ▼
//!          ▼                        ▼                             observation
//!   syntax (never fails)      policy::yaml                            │
//!   main_cf master_cf table         │                                 ▼
//!          ├─────► lookup           ▼                              verdict ──► report
//!          ▼                  policy::Policies ──► policy::compile
//!   config::Configuration           │                    │
//!   config::Effective ──► show query│                    │
//!          └───────────┬────────────┘                    │
//!                      ▼                                 ▼
//!   lint::Seen ─► lint::Context ─► rules ─► Findings ─fix─► plan::Plan
//!   (of the host)                               │         │   diff: stop here
//!                                               ▼         ▼
//!                                             report    apply (writes through host)
//! ```
//!
//! `postfix` holds the facts: parameters, levels, digests, versions, builds.
//! `lookup` asks tables for keys as daemons do: rows, patterns, networks; `syntax::indexed` is what postmap
//! makes of one.
//! `policy` is what a row means: its grammar, its mistakes, what main.cf adds to
//! it, and what becomes of mail; its `yaml::edit` changes pins in the text of a
//! policy file, and `rotation` says what has to be done about them when.
//! `policy::import` makes a policy file of a table and a main.cf, and `policy::same` says whether two
//! rows are one policy. A `plan` says what it means for mail (`meaning`, by what clients ask before and
//! after) and can be a file (`stored`); `apply` makes it true with a journal, keeps generations, and
//! notes what was asked when nothing was left to do (`settled`).
//! `probe` looks at servers as Postfix would meet them (`policy::session`: what TLS is begun with); what it
//! saw is an `observation`, and what that means under the policy in force a `verdict`, each with its reason.
//! `certificate` reads certificates and keys as Postfix's OpenSSL does, and makes
//! the fingerprints that pins are.
//! `config` joins main.cf with the Postfix that reads it and with its host; in
//! `Effective` with master.cf too: each value with its origin, which names count,
//! and which programs read which certificates. `lint` decides which findings count (`allow`), how they are known again
//! (`identity`) and which fixes can be made at once (`fix`); what is so on a host
//! it asks through `seen`. `cli` is one file, or folder, for each subcommand. What
//! each module may use is written down, and held, in `tests/it/tidy.rs`.
//!
//! # What always holds
//!
//! 1. Only [`host`] touches files, processes and the clock, and only `probe` makes connections. All else is a
//!    function of bytes.
//! 2. Only [`apply`] writes to a configuration directory, and only what a [`plan`] says.
//! 3. A problem in the user's files is a [`finding::Finding`], never an `Err` and never a panic.
//! 4. Parsing never fails and loses no byte: the spans of the logical lines tile the source.
//! 5. `postls diff` shows the plan that `postls apply` runs, not a second opinion.
//! 6. What postls says about Postfix, a real Postfix confirms in a test.

pub mod apply;
pub mod certificate;
pub mod cli;
pub mod config;
pub mod finding;
pub mod host;
pub mod lint;
pub mod lookup;
pub mod observation;
pub mod plan;
pub mod policy;
pub mod postfix;
#[cfg(feature = "probe")]
pub mod probe;
pub mod report;
pub mod rules;
pub mod syntax;
pub mod text;
pub mod verdict;
