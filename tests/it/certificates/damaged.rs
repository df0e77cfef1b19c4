//! Damaged PEM: postls reads what OpenSSL reads, and never panics.

use openssl::x509::X509;
use postls::certificate::load::{Pair, certificate_and_key, chain_files, pairs};
use postls::certificate::{pem, subjects, trust};

use super::made::text;
use crate::generator::{Random, Shown, rounds};

/// After each damage: the same certificates, or a refusal of both.
#[test]
fn damaged_files_are_read_as_by_openssl() {
    let chain = text("leaf.crt") + &text("middle.crt") + &text("middle.crl") + &text("root.crt");
    let key = text("leaf.key");
    let (mut read, mut refused) = (0, 0);
    rounds(3000, |seed, round, random| {
        let damaged = damage(chain.as_bytes(), random);
        let shown = Shown { seed, round, input: &damaged };
        let theirs = X509::stack_from_pem(&damaged);
        let theirs = theirs.map(|all| all.iter().map(|it| it.to_der().expect("DER")).collect());
        let ours = certificates(&damaged);
        assert_eq!(ours, theirs.ok());
        match ours {
            Some(_) => read += 1,
            None => refused += 1,
        }
        let damaged_key = damage(key.as_bytes(), random);
        for bytes in [&damaged, &damaged_key] {
            let _ = (subjects(bytes), pem::trust_file(bytes), trust::ca_file(bytes));
            let _ = pem::overlooked(bytes);
        }
        let _ = chain_files(&[&damaged_key, &damaged]);
        let _ = certificate_and_key(&damaged, &damaged_key);
        let _ = pairs(&[Pair::OneFile(&[damaged_key.as_slice(), &damaged].concat())]);
        drop(shown);
    });
    println!("{read} damaged files read alike, {refused} refused alike");
    assert!(read > 300 && refused > 300 || std::env::var("POSTLS_ROUNDS").is_ok());
}

/// `PEM_read_bio_X509` again and again, on top of our blocks.
fn certificates(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    for block in pem::read(bytes) {
        let block = block.ok()?;
        if block.is_certificate() {
            let certificate =
                X509::from_der(&block.der).ok().filter(|_| block.headers.is_empty())?;
            found.push(certificate.to_der().ok()?);
        }
    }
    Some(found)
}

/// One to three damages. No NUL: OpenSSL takes those otherwise from memory than from files.
fn damage(text: &[u8], random: &mut Random) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> =
        text.split_inclusive(|it| *it == b'\n').map(<[u8]>::to_vec).collect();
    for _ in 0..=random.below(3) {
        let (at, other) = (random.below(lines.len()), random.below(lines.len()));
        match random.below(9) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            2 => lines.swap(at, other),
            3 => lines.insert(at, b"\n".to_vec()),
            4 => lines.insert(
                at,
                random
                    .of(&[
                        "Comment: x\n",
                        "Proc-Type: 4,ENCRYPTED\n",
                        "\u{feff}",
                        "-",
                        "=",
                        " \t\n",
                    ])
                    .into(),
            ),
            5 => lines[at].extend_from_slice(b"  \r\n"),
            6 => drop(lines[at].pop()),
            7 => {
                let place = random.below(lines[at].len());
                if let Some(byte) = lines[at].get_mut(place) {
                    *byte = u8::try_from(1 + random.below(255)).expect("a byte");
                }
            }
            _ => {
                let place = random.below(lines[at].len() + 1);
                let byte = *random
                    .of(&[b"=" as &[u8], b"-", b"\n", b" ", b":", b"A", b"\r", b"\xff"])
                    .first()
                    .expect("one");
                lines[at].insert(place, byte);
            }
        }
    }
    lines.concat()
}
