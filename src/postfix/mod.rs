//! What Postfix knows: parameters, security levels, digests, versions.
//!
//! Facts only, from the manual pages and the source of Postfix 2.3 to 3.12;
//! nothing here reads a file.

mod build;
mod cipher;
mod digest;
mod families;
mod level;
mod limit;
mod parameter;
mod protocol;
mod table_type;
mod version;

pub use build::Build;
pub use cipher::{CipherGrade, excluded_ciphers, refused_exclusion};
pub use digest::{Digest, DigestName, Fingerprint};
pub use families::{
    client_suffixes, is_adapter, may_be_of_service, of_service, service_parameters,
};
pub use level::SecurityLevel;
pub use limit::{Limit, Readers, is_command, limit};
pub use parameter::{Parameter, TableList, Type, parameter, parameters};
pub use protocol::{Hole, Protocol, ProtocolProblem, Protocols, protocols_since};
pub use table_type::{PATTERNS_IN_NAMES, Reads, TableType, table_type, table_types};
pub use version::Version;
