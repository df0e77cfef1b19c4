//! What OpenSSL says of keys and chains: Postfix asks the same library.

use super::Unreadable;

/// The `SubjectPublicKeyInfo` of the first private key in a PEM file.
#[cfg(feature = "openssl")]
pub fn public_key(pem: &[u8]) -> Result<Vec<u8>, Unreadable> {
    // An empty passphrase, so that nobody is asked for one on the terminal.
    let key = openssl::pkey::PKey::private_key_from_pem_callback(pem, |_| Ok(0));
    let key = key.and_then(|it| it.public_key_to_der());
    key.map_err(|_| Unreadable("its private key cannot be read".to_owned()))
}

/// The `SubjectPublicKeyInfo` of the first private key in a PEM file.
#[cfg(not(feature = "openssl"))]
pub fn public_key(_: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let why = "this postls was built without OpenSSL, which reads private keys";
    Err(Unreadable(why.to_owned()))
}
