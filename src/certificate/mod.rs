//! Certificates and keys in files, as Postfix's OpenSSL reads them.
//!
//! `pem` finds the blocks of a file (`base64`: what stands in them; `binary`, `der`: files that are no PEM), `x509` reads what
//! stands in a certificate and `key` of what kind a key is, `digest` makes fingerprints, and `subject` is what of a file
//! a fingerprint can be made of. `load` does what Postfix does with its own certificates and keys, `trust` what OpenSSL
//! does with those of authorities, `store` whether a server's chain leads to one. `judge` asks OpenSSL itself, in builds that have it.

mod base64;
mod binary;
mod der;
mod digest;
mod judge;
mod key;
pub mod load;
pub mod pem;
pub mod store;
mod subject;
pub mod trust;
mod x509;

pub use binary::Binary;
pub use der::subject_of_der;
pub use digest::fingerprint;
pub use key::Key;
pub use subject::{Kind, Of, Subject, Unreadable, subjects};
pub use x509::{Certificate, Malformed, NameText, Purposes};
