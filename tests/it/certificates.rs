//! What Postfix loads to prove itself with: files of all sorts, made by the openssl program, and OpenSSL and real Postfixes
//! as judges. Fingerprints, trust and damaged files as well.

mod cases;
mod damaged;
mod facts;
mod made;
mod odd;
mod served;
mod trusted;
