//! Certificates and keys in files, as Postfix's OpenSSL reads them.
//!
//! Known limit: what stands inside a certificate is not looked at.

pub mod pem;
