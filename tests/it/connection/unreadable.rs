//! Certificates that OpenSSL reads and postls does not: Postfix goes on with them, and so nothing bad is said of them.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::extension::BasicConstraints;
use openssl::x509::{X509, X509Builder, X509NameBuilder};
use postls::certificate::Certificate;
use postls::certificate::store::{Store, System};
use postls::observation::session::TlsFailure;
use postls::probe::connection::{Begin, ConnectionSettings, connect};

use super::{of_row, session_of};

struct Holder {
    certificate: X509,
    key: PKey<Private>,
}

/// Somebody with a certificate that another one has signed, or himself.
fn holder(name: &str, by: Option<&Holder>) -> Holder {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let mut it = X509Builder::new().unwrap();
    it.set_version(2).unwrap();
    it.set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap()).unwrap();
    it.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    it.set_not_after(&Asn1Time::days_from_now(9).unwrap()).unwrap();
    it.set_subject_name(&subject).unwrap();
    it.set_issuer_name(by.map_or(&subject, |it| it.certificate.subject_name())).unwrap();
    it.set_pubkey(&key).unwrap();
    if !name.contains('.') {
        it.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    }
    it.sign(by.map_or(&key, |it| &it.key), MessageDigest::sha256()).unwrap();
    Holder { certificate: it.build(), key }
}

/// The content of a DER element, and what follows it.
fn take(der: &[u8]) -> (&[u8], &[u8]) {
    let (length, begin) = match der[1] {
        short if short < 0x80 => (usize::from(short), 2),
        0x81 => (usize::from(der[2]), 3),
        0x82 => (usize::from(u16::from_be_bytes([der[2], der[3]])), 4),
        other => panic!("{other} is too long"),
    };
    (&der[begin..begin + length], &der[begin + length..])
}

fn sequence(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[0x30, 0x82], length.as_slice(), content].concat()
}

/// The same certificate, with a validity whose length is not given at its beginning: that is BER, which OpenSSL takes.
fn odd(certificate: &X509, signer: &PKey<Private>) -> X509 {
    let der = certificate.to_der().unwrap();
    let (content, rest_of_it) = take(take(&der).0);
    let mut rest = content;
    // The version, the serial number, the algorithm and the issuer.
    for _ in 0..4 {
        rest = take(rest).1;
    }
    let before = &content[..content.len() - rest.len()];
    let (validity, after) = take(rest);
    let body = sequence(&[before, &[0x30, 0x80], validity, &[0, 0], after].concat());
    let algorithm = &rest_of_it[..rest_of_it.len() - take(rest_of_it).1.len()];
    let mut signature = Signer::new(MessageDigest::sha256(), signer).unwrap();
    let signature = signature.sign_oneshot_to_vec(&body).unwrap();
    let bits = u8::try_from(signature.len() + 1).unwrap();
    let whole = sequence(&[&body, algorithm, &[3, bits, 0], &signature].concat());
    let certificate = X509::from_der(&whole).unwrap();
    assert_eq!(certificate.to_der().unwrap(), whole);
    assert!(Certificate::parse(&whole).is_err(), "it can be read");
    certificate
}

/// A server that shows these certificates at once, and then greets.
fn serve(key: &PKey<Private>, own: &X509, others: &[&X509]) -> SocketAddr {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_private_key(key).unwrap();
    acceptor.set_certificate(own).unwrap();
    for other in others {
        acceptor.add_extra_chain_cert((*other).clone()).unwrap();
    }
    let acceptor = acceptor.build();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let Ok(mut stream) = acceptor.accept(listener.accept().unwrap().0) else { return };
        let _ = stream.write_all(b"554 not today\r\n");
        let _ = stream.read(&mut [0; 64]);
    });
    address
}

fn settings(root: &X509) -> ConnectionSettings {
    let mut settings =
        ConnectionSettings { begin: Begin::Wrapper, ..of_row("encrypt", "mx.example") };
    let root = Certificate::parse(&root.to_der().unwrap()).unwrap();
    let terms = settings.trust.terms;
    settings.trust.authorities = Store::new(&[root], System::NotAsked, &terms).unwrap();
    settings
}

#[test]
fn a_certificate_that_cannot_be_read_is_no_failed_handshake() {
    let root = holder("root", None);
    let own = holder("mx.example", Some(&root));
    let address = serve(&own.key, &odd(&own.certificate, &root.key), &[]);
    let session = session_of(connect(address, &settings(&root.certificate)));
    let words = "postls cannot read the server's certificate, which OpenSSL takes";
    assert_eq!(session.tls, Some(Err(TlsFailure::Unreadable(words.to_owned()))));
}

#[test]
fn a_chain_may_lead_over_what_cannot_be_read() {
    let root = holder("root", None);
    let middle = holder("middle", Some(&root));
    let own = holder("mx.example", Some(&middle));
    let address = serve(&own.key, &own.certificate, &[&odd(&middle.certificate, &root.key)]);
    let session = session_of(connect(address, &settings(&root.certificate)));
    let tls = session.tls.expect("TLS was begun").expect("it stands");
    assert_eq!((tls.trusted, tls.chain.len()), (Ok(()), 1));
}
