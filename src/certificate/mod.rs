//! Certificates and keys in files, as Postfix's OpenSSL reads them.
//!
//! `pem` finds the blocks of a file, `x509` reads what stands in a certificate, `digest` makes
//! fingerprints, and `subject` (in bare DER: `der`) is what of a file a fingerprint can be made of. `judge` asks OpenSSL
//! itself, in builds that have it.

mod der;
mod digest;
pub mod judge;
pub mod load;
pub mod pem;
mod subject;
pub mod trust;
mod x509;

pub use der::subject_of_der;
pub use digest::fingerprint;
pub use subject::{Kind, Of, Subject, Unreadable, subjects};
pub use x509::{Certificate, Key, Malformed, NameText};
