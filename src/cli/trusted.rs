//! Whom this host and its configuration trust, and whether a certificate leads to one of them.

use std::path::Path;

use super::load::Request;
use super::load_certificates::{self, Files};
use crate::certificate::trust::{self, Verdict};
use crate::certificate::{Certificate, Subject};
use crate::host::Host;
use crate::lint::PolicyClient;
use crate::lint::seen::Answer;
use crate::policy::Date;
use crate::report::fingerprint::Trust;

/// Where systems keep the authorities that everybody trusts: Debian and Alpine, Red Hat, SUSE, FreeBSD.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Some authorities.
pub(super) struct Anchors {
    /// Who names them.
    by: String,
    /// Their certificates, or why they are not known.
    certificates: Result<Vec<Certificate>, String>,
}

/// Those of the client's `*_CAfile`, where it has one.
pub(super) fn of_client(
    host: &dyn Host,
    request: &Request<'_>,
    client: &PolicyClient,
) -> Option<Anchors> {
    let file = client.client.trust.iter().find(|it| it.parameter == "tls_CAfile")?;
    let files = if request.is_live(host) { Files::Live } else { Files::Copy };
    let certificates = match load_certificates::bytes(host, request, files, file.value.as_bytes()) {
        Ok(Answer::Bytes(bytes)) => trust::ca_file(&bytes).map_err(|it| it.text),
        Ok(_) => Err("there is no such file".to_owned()),
        Err(why) => Err(why),
    };
    let by = format!("{}_{} ({})", client.client.name, file.parameter, file.value);
    Some(Anchors { by, certificates })
}

/// Those of this system, where they are in a place that is known.
pub(super) fn of_system(host: &dyn Host) -> Option<Anchors> {
    let bytes = SYSTEM.iter().find_map(|it| host.read(Path::new(it)).ok())?;
    let certificates = trust::ca_file(&bytes).map_err(|it| it.text);
    Some(Anchors { by: "this system".to_owned(), certificates })
}

/// Whether each of them trusts the first of these certificates, with the others behind it, today.
pub(super) fn of_chain(anchors: &[Anchors], chain: &[&Subject], today: u64) -> Vec<Trust> {
    let mut certificates = chain.iter().filter_map(|it| it.certificate());
    let Some(own) = certificates.next() else { return Vec::new() };
    let others: Vec<Certificate> = certificates.cloned().collect();
    let today = i64::try_from(today).unwrap_or(i64::MAX / Date::SECONDS);
    // What begins or ends today is valid today.
    let evening = (today * Date::SECONDS).saturating_add(Date::SECONDS - 1);
    let ends_today = own.not_after.div_euclid(Date::SECONDS) == today;
    let at = if ends_today { own.not_after } else { evening };
    let one = |it: &Anchors| Trust {
        by: it.by.clone(),
        verdict: match &it.certificates {
            Ok(anchors) => Ok(trust::verify(own, &others, anchors, at)),
            Err(why) => Err(why.clone()),
        },
    };
    let known = |it: &Trust| !matches!(it.verdict, Ok(Verdict::NotChecked(_)));
    anchors.iter().map(one).filter(known).collect()
}
