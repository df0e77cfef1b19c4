//! What a TLS session with one host is begun with under an effective policy.
//!
//! Follows `dane_init` and `smtp_tls_policy_lookup` in `smtp/smtp_tls_policy.c` for the level that holds at a host,
//! `tls_set_ciphers` in `tls/tls_misc.c` and `tls_client_start` in `tls/tls_client.c` for the rest.
//!
//! Known limits: the client's own certificates are not shown to servers, and `enable_rpk` asks for nothing here.

use super::client::Client;
use super::effective::{By, Chosen, EffectivePolicy};
use crate::postfix::{CipherGrade, Protocol, Protocols, SecurityLevel, Version, excluded_ciphers};
use crate::syntax::lists::{self, COMMA_SPACE};

/// Parameters of TLS that no policy changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// `tls_high_cipherlist`, `tls_medium_cipherlist`, `tls_low_cipherlist`, `tls_export_cipherlist` and
    /// `tls_null_cipherlist`, in the order of [`CipherGrade::ALL`].
    cipher_lists: [String; 5],
    /// `tls_eecdh_auto_curves` and `tls_ffdhe_auto_groups`; empty: OpenSSL's own choice.
    pub groups: Vec<String>,
    /// `tls_dane_digests` as matching types, the strongest first.
    pub dane_digests: Vec<u8>,
    /// `tls_dane_insecure_mx_policy`: may, encrypt or dane.
    pub insecure_mx: SecurityLevel,
    /// `tls_scert_verifydepth`, and one more, which OpenSSL gets.
    pub verify_depth: u32,
}

impl Parameters {
    /// Those of `name`, `smtp` or `lmtp`. `value` gives the value of a parameter, expanded; an empty one where the
    /// Postfix at hand has no such parameter.
    pub fn new(name: &'static str, value: &dyn Fn(&str) -> Vec<u8>) -> Parameters {
        let text = |name: &str| String::from_utf8_lossy(&value(name)).trim().to_owned();
        let words = |name: &str| -> Vec<String> {
            let text = text(name);
            lists::words(text.as_bytes(), COMMA_SPACE).map(|it| text[it].to_owned()).collect()
        };
        let cipher_lists = CipherGrade::ALL.map(|grade| {
            let set = text(&format!("tls_{}_cipherlist", grade.name()));
            if set.is_empty() { usual_ciphers(grade).to_owned() } else { set }
        });
        let groups = ["tls_eecdh_auto_curves", "tls_ffdhe_auto_groups"];
        let digests = words("tls_dane_digests");
        let digests = digests.iter().filter_map(|it| matching_type(it)).collect::<Vec<u8>>();
        let insecure = text(&format!("{name}_tls_dane_insecure_mx_policy"));
        let depth = text(&format!("{name}_tls_scert_verifydepth")).parse().unwrap_or(9_u32);
        Parameters {
            cipher_lists,
            groups: groups.iter().flat_map(|it| words(it)).collect(),
            // An empty list is no default of any version: nothing was said.
            dane_digests: if digests.is_empty() { vec![2, 1] } else { digests },
            insecure_mx: SecurityLevel::parse(insecure.as_bytes()).unwrap_or(SecurityLevel::Dane),
            verify_depth: depth.saturating_add(1),
        }
    }

    fn cipher_list(&self, grade: CipherGrade) -> &str {
        let at = CipherGrade::ALL.iter().position(|it| *it == grade).unwrap_or_default();
        &self.cipher_lists[at]
    }
}

/// Postfix's defaults of those lists (`global/mail_params.h`).
fn usual_ciphers(grade: CipherGrade) -> &'static str {
    match grade {
        CipherGrade::High => "aNULL:-aNULL:HIGH:@STRENGTH",
        CipherGrade::Medium => "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH",
        CipherGrade::Low => "aNULL:-aNULL:HIGH:MEDIUM:LOW:+RC4:@STRENGTH",
        CipherGrade::Export => "aNULL:-aNULL:HIGH:MEDIUM:LOW:EXPORT:+RC4:@STRENGTH",
        CipherGrade::Null => "eNULL:!aNULL",
    }
}

/// A word of `tls_dane_digests`: `sha256`, or `sha256=1`. Other numbers are for digests that no mail server publishes.
fn matching_type(word: &str) -> Option<u8> {
    let name = word.split_once('=').map_or(word, |it| it.0);
    let is = |digest: &str| name.eq_ignore_ascii_case(digest);
    if is("sha512") { Some(2) } else { is("sha256").then_some(1) }
}

/// A host as the policy's words need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host<'h> {
    /// The next-hop destination without brackets and port.
    pub nexthop: &'h str,
    /// Its name, as the MX record or the destination has it.
    pub name: &'h str,
    /// The name at which its TLSA records are (RFC 7672, section 2.2.2).
    pub tlsa_base: Option<&'h str>,
}

/// How the host was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchanger {
    /// By an MX record that was validated with DNSSEC.
    Secure,
    /// By an MX record that was not.
    Insecure,
    /// Without any.
    None,
}

/// What TLSA records the host has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Records {
    /// Validated ones, of which one can be used at least.
    Usable,
    /// Validated ones, none with a usage that Postfix knows.
    UnusableUsage,
    /// Validated ones; those with such a usage are malformed or of an unknown digest.
    UnusableContent,
    /// None that count.
    Nothing,
    /// They could not be looked up.
    Failed,
}

/// The level that holds at one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostLevel {
    /// One that needs no TLSA records; of dane only may and encrypt are left where they cannot be used.
    Level(SecurityLevel),
    /// By TLSA records: dane or dane-only.
    Tlsa(SecurityLevel, Proof),
    /// Mail to this host waits, whatever it offers.
    Deferred(Wait),
}

/// Why mail to a host waits before anybody connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The policy itself is broken.
    Policy,
    /// TLSA records could not be looked up.
    TlsaFailed,
    /// dane-only, and there are none that count.
    TlsaMissing,
    /// dane-only, and none can be used.
    TlsaUnusable,
    /// dane-only, and its MX records were not validated.
    InsecureExchanger,
    /// No `mx_host_pattern` of the policy names the host.
    NotAuthorized,
    /// `tls_wrappermode`, and only a level below encrypt is left.
    Wrappermode,
}

impl Wait {
    /// What is so, for people.
    pub fn words(self) -> &'static str {
        match self {
            Wait::Policy => "client TLS configuration problem",
            Wait::TlsaFailed => "its TLSA records could not be looked up",
            Wait::TlsaMissing => "it has no validated TLSA records",
            Wait::TlsaUnusable => "none of its TLSA records can be used",
            Wait::InsecureExchanger => "its MX records are not validated with DNSSEC",
            Wait::NotAuthorized => {
                "no mx_host_pattern of the policy names this host, and Postfix passes over it"
            }
            Wait::Wrappermode => {
                "tls_wrappermode needs a level above may, and Postfix passes over this host"
            }
        }
    }
}

/// What TLSA records prove at a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Who it is: they must match, and Postfix logs that it is verified.
    Full,
    /// Who it is, and not that it is the right host, since the MX records are insecure: they must match, and Postfix
    /// logs that it is trusted (`half-dane`).
    Half,
    /// Nothing, since none can be used: dane asks for TLS alone, and dane-only for what cannot be.
    Nothing,
}

/// The level of a policy at one host (`dane_init`, `smtp_connect_inet`). The policy is not one that holds all mail.
pub fn level_at(
    client: &Client,
    parameters: &Parameters,
    policy: &EffectivePolicy,
    exchanger: Exchanger,
    records: Records,
) -> HostLevel {
    match by_records(client, parameters, policy, exchanger, records) {
        HostLevel::Level(SecurityLevel::None | SecurityLevel::May) if client.wrappermode => {
            HostLevel::Deferred(Wait::Wrappermode)
        }
        level => level,
    }
}

fn by_records(
    client: &Client,
    parameters: &Parameters,
    policy: &EffectivePolicy,
    exchanger: Exchanger,
    records: Records,
) -> HostLevel {
    let Some(level) = policy.level.as_ref().map(|it| it.value) else {
        return HostLevel::Deferred(Wait::Policy);
    };
    let may = match level {
        SecurityLevel::Dane => true,
        SecurityLevel::DaneOnly => false,
        SecurityLevel::None
        | SecurityLevel::May
        | SecurityLevel::Encrypt
        | SecurityLevel::Fingerprint
        | SecurityLevel::Verify
        | SecurityLevel::Secure => return HostLevel::Level(level),
    };
    let without = |level, why| if may { HostLevel::Level(level) } else { HostLevel::Deferred(why) };
    let is_insecure = exchanger == Exchanger::Insecure;
    // Below encrypt: nobody asks for the records then.
    if is_insecure
        && (!may || matches!(parameters.insecure_mx, SecurityLevel::None | SecurityLevel::May))
    {
        return without(SecurityLevel::May, Wait::InsecureExchanger);
    }
    // Before 3.6 Postfix itself reads the records, before it connects.
    let is_old = client.version < Version::new(3, 6);
    match records {
        Records::Failed => HostLevel::Deferred(Wait::TlsaFailed),
        Records::Nothing => without(SecurityLevel::May, Wait::TlsaMissing),
        Records::UnusableUsage => without(SecurityLevel::Encrypt, Wait::TlsaUnusable),
        Records::UnusableContent if is_old => without(SecurityLevel::Encrypt, Wait::TlsaUnusable),
        Records::Usable | Records::UnusableContent => {
            if is_insecure && parameters.insecure_mx == SecurityLevel::Encrypt {
                return HostLevel::Level(SecurityLevel::Encrypt);
            }
            let proof = match records {
                Records::UnusableContent => Proof::Nothing,
                _ if is_insecure => Proof::Half,
                _ => Proof::Full,
            };
            HostLevel::Tlsa(level, proof)
        }
    }
}

/// What a TLS session is begun with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TlsSettings {
    /// The oldest and the newest protocol; `None`: none is left.
    pub protocols: Option<(Protocol, Protocol)>,
    /// OpenSSL's list of ciphers for TLSv1.2 and older.
    pub cipher_list: String,
    /// OpenSSL's names of groups for the key exchange; unknown ones are left out. Empty: its own choice.
    pub groups: Vec<String>,
    /// OpenSSL's security level: 1 where the server has to prove itself, else 0.
    pub security_level: u32,
    /// So many certificates may stand between the server's and the trusted one.
    pub verify_depth: u32,
    /// The name to ask the server for (SNI), in ASCII.
    pub servername: Option<String>,
}

/// Makes them for a host at a level; `Ok(None)`: there is no TLS at that level. `Err`: Postfix cannot begin, in words
/// for people.
pub fn settings(
    client: &Client,
    parameters: &Parameters,
    policy: &EffectivePolicy,
    level: &HostLevel,
    host: &Host<'_>,
) -> Result<Option<TlsSettings>, String> {
    let (level, proof) = match level {
        HostLevel::Level(SecurityLevel::None) | HostLevel::Deferred(_) => return Ok(None),
        HostLevel::Level(level) => (*level, None),
        HostLevel::Tlsa(level, proof) => (*level, Some(*proof)),
    };
    // Of a policy at dane; at other levels it is the policy's own one.
    let is_opportunistic = level == SecurityLevel::May;
    let pick = |chosen: &Option<Chosen<String>>, opportunistic: &str, mandatory: &str| {
        let of_row = chosen.as_ref().filter(|it| matches!(it.by, By::Row(_)));
        let of_main_cf = if is_opportunistic { opportunistic } else { mandatory };
        of_row.map_or_else(|| of_main_cf.to_owned(), |it| it.value.clone())
    };
    let list = pick(&policy.protocols, &client.protocols, &client.mandatory_protocols);
    let grade = pick(&policy.ciphers, &client.ciphers, &client.mandatory_ciphers);
    let protocols = Protocols::parse(list.as_bytes(), client.version)
        .map_err(|_| format!("\"{list}\" is no list of protocols"))?;
    let grade = CipherGrade::parse(grade.as_bytes())
        .ok_or_else(|| format!("\"{grade}\" is no cipher grade"))?
        .meant(client.version);
    let mut cipher_list = parameters.cipher_list(grade).to_owned();
    let exclude = exclusions(client, policy, level);
    for word in excluded_ciphers(exclude.as_bytes()) {
        cipher_list.push_str(":!");
        cipher_list.push_str(&String::from_utf8_lossy(word));
    }
    // `tls_client_start` leaves SSLv3 out where DANE is; OpenSSL is built without it anyway.
    let mut offered = protocols.offered().filter(|it| proof.is_none() || *it != Protocol::Ssl3);
    let oldest = offered.next();
    let newest = offered.last().or(oldest);
    let authenticates = match level {
        SecurityLevel::None | SecurityLevel::May | SecurityLevel::Encrypt => false,
        SecurityLevel::Dane => proof != Some(Proof::Nothing),
        SecurityLevel::DaneOnly
        | SecurityLevel::Fingerprint
        | SecurityLevel::Verify
        | SecurityLevel::Secure => true,
    };
    Ok(Some(TlsSettings {
        protocols: oldest.zip(newest),
        cipher_list,
        groups: parameters.groups.clone(),
        security_level: u32::from(authenticates),
        verify_depth: parameters.verify_depth,
        servername: match proof {
            Some(_) => host.tlsa_base.map(str::to_owned),
            None => servername(policy, host)?,
        },
    }))
}

/// `set_cipher_grade`: `exclude=`, or both parameters above may, and what no level takes.
fn exclusions(client: &Client, policy: &EffectivePolicy, level: SecurityLevel) -> String {
    let (mandatory, also) = match level {
        SecurityLevel::None | SecurityLevel::May => ("", ""),
        SecurityLevel::Encrypt => (client.mandatory_exclude.as_str(), "eNULL"),
        SecurityLevel::Dane
        | SecurityLevel::DaneOnly
        | SecurityLevel::Fingerprint
        | SecurityLevel::Verify
        | SecurityLevel::Secure => (client.mandatory_exclude.as_str(), "aNULL"),
    };
    let of_row = policy.exclude.as_ref().filter(|it| matches!(it.by, By::Row(_)));
    match of_row {
        Some(row) => {
            // The policy's own level has added its own.
            let asked = policy.level.as_ref().map(|it| it.value);
            let added = match asked {
                None | Some(SecurityLevel::None | SecurityLevel::May) => "",
                Some(SecurityLevel::Encrypt) => "eNULL",
                Some(_) => "aNULL",
            };
            let own = row.value.strip_suffix(added).unwrap_or(&row.value);
            format!("{own} {also}")
        }
        None => format!("{} {mandatory} {also}", client.exclude),
    }
}

/// The name to ask for, where there are no TLSA records (`tls_auth_enable`). Its words are in lower case only.
fn servername(policy: &EffectivePolicy, host: &Host<'_>) -> Result<Option<String>, String> {
    /// `TLSEXT_MAXLEN_host_name`
    const LONGEST: usize = 255;
    let name = match policy.servername.as_ref().map_or("", |it| it.value.as_str()) {
        "" => return Ok(None),
        "hostname" => host.name,
        "nexthop" => host.nexthop,
        name => name,
    };
    let name = if name.is_ascii() {
        name.to_owned()
    } else {
        idna::domain_to_ascii(name).unwrap_or_else(|_| name.to_owned())
    };
    if name.len() > LONGEST {
        return Err("the name to ask the server for is too long".to_owned());
    }
    Ok(Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client {
        let usual = Client::from(("smtp", Version::new(3, 7)));
        Client {
            protocols: ">=TLSv1".to_owned(),
            mandatory_protocols: ">=TLSv1.2".to_owned(),
            ciphers: "medium".to_owned(),
            mandatory_ciphers: "high".to_owned(),
            exclude: "RC4".to_owned(),
            mandatory_exclude: "SEED, aDSS".to_owned(),
            ..usual
        }
    }

    fn parameters() -> Parameters {
        Parameters::new("smtp", &|_| Vec::new())
    }

    const HOST: Host<'_> =
        Host { nexthop: "a.example", name: "mx.a.example", tlsa_base: Some("base.a.example") };

    fn of(row: &str, exchanger: Exchanger, records: Records) -> (HostLevel, TlsSettings) {
        let (client, parameters) = (client(), parameters());
        let policy = EffectivePolicy::new(&client, b"a.example", Some(row.as_bytes()));
        let level = level_at(&client, &parameters, &policy, exchanger, records);
        let made = settings(&client, &parameters, &policy, &level, &HOST);
        (level, made.expect("it can begin").expect("there is TLS"))
    }

    #[test]
    fn a_level_brings_its_protocols_and_ciphers() {
        let high = "aNULL:-aNULL:HIGH:@STRENGTH";
        let medium = "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH";
        for (row, oldest, ciphers, security) in [
            ("may", Protocol::Tls1, format!("{medium}:!RC4"), 0),
            ("encrypt", Protocol::Tls1_2, format!("{high}:!RC4:!SEED:!aDSS:!eNULL"), 0),
            ("secure", Protocol::Tls1_2, format!("{high}:!RC4:!SEED:!aDSS:!aNULL"), 1),
            (
                "encrypt ciphers=medium exclude=MD5 protocols=TLSv1:TLSv1.1:TLSv1.2",
                Protocol::Tls1,
                format!("{medium}:!MD5:!eNULL"),
                0,
            ),
            // As may, since there are no records.
            ("dane", Protocol::Tls1, format!("{medium}:!RC4"), 0),
            ("dane exclude=MD5", Protocol::Tls1, format!("{medium}:!MD5"), 0),
            ("dane protocols=>=TLSv1.3", Protocol::Tls1_3, format!("{medium}:!RC4"), 0),
        ] {
            let (_, made) = of(row, Exchanger::None, Records::Nothing);
            let Some((at, _)) = made.protocols else { panic!("{row}: no protocol") };
            assert_eq!(
                (at, made.cipher_list, made.security_level),
                (oldest, ciphers, security),
                "{row}"
            );
        }
    }

    #[test]
    fn the_name_to_ask_for_is_the_policys_or_that_of_tlsa_records() {
        for (row, records, name) in [
            ("secure", Records::Nothing, None),
            ("secure servername=hostname", Records::Nothing, Some("mx.a.example")),
            ("secure servername=nexthop", Records::Nothing, Some("a.example")),
            ("secure servername=x.example", Records::Nothing, Some("x.example")),
            ("dane servername=x.example", Records::Usable, Some("base.a.example")),
            ("dane servername=x.example", Records::Nothing, Some("x.example")),
        ] {
            let (_, made) = of(row, Exchanger::None, records);
            assert_eq!(made.servername.as_deref(), name, "{row} {records:?}");
        }
    }

    #[test]
    fn tlsa_records_and_mx_records_decide_what_dane_is_at_a_host() {
        use Exchanger::{Insecure, Secure};
        use SecurityLevel::{Dane, DaneOnly, Encrypt, May};
        let deferred = HostLevel::Deferred;
        for (row, insecure, exchanger, records, expected) in [
            ("dane", Dane, Secure, Records::Usable, HostLevel::Tlsa(Dane, Proof::Full)),
            ("dane", Dane, Exchanger::None, Records::Usable, HostLevel::Tlsa(Dane, Proof::Full)),
            ("dane", Dane, Insecure, Records::Usable, HostLevel::Tlsa(Dane, Proof::Half)),
            ("dane", Encrypt, Insecure, Records::Usable, HostLevel::Level(Encrypt)),
            ("dane", May, Insecure, Records::Usable, HostLevel::Level(May)),
            ("dane", Dane, Secure, Records::Nothing, HostLevel::Level(May)),
            ("dane", Dane, Secure, Records::UnusableUsage, HostLevel::Level(Encrypt)),
            ("dane", Dane, Secure, Records::UnusableContent, HostLevel::Tlsa(Dane, Proof::Nothing)),
            ("dane", Dane, Secure, Records::Failed, deferred(Wait::TlsaFailed)),
            ("dane-only", Dane, Secure, Records::Usable, HostLevel::Tlsa(DaneOnly, Proof::Full)),
            ("dane-only", Dane, Insecure, Records::Usable, deferred(Wait::InsecureExchanger)),
            ("dane-only", Dane, Secure, Records::Nothing, deferred(Wait::TlsaMissing)),
            ("dane-only", Dane, Secure, Records::UnusableUsage, deferred(Wait::TlsaUnusable)),
            ("encrypt", Dane, Insecure, Records::Failed, HostLevel::Level(Encrypt)),
        ] {
            let parameters = Parameters { insecure_mx: insecure, ..parameters() };
            let client = client();
            let policy = EffectivePolicy::new(&client, b"a.example", Some(row.as_bytes()));
            let level = level_at(&client, &parameters, &policy, exchanger, records);
            assert_eq!(level, expected, "{row} {insecure:?} {exchanger:?} {records:?}");
        }
    }

    #[test]
    fn in_wrappermode_no_level_below_encrypt_is_left() {
        let client = Client { wrappermode: true, ..client() };
        for (row, records, expected) in [
            ("dane", Records::Nothing, HostLevel::Deferred(Wait::Wrappermode)),
            ("dane", Records::UnusableUsage, HostLevel::Level(SecurityLevel::Encrypt)),
            ("dane", Records::Usable, HostLevel::Tlsa(SecurityLevel::Dane, Proof::Full)),
            ("encrypt", Records::Nothing, HostLevel::Level(SecurityLevel::Encrypt)),
        ] {
            let policy = EffectivePolicy::new(&client, b"a.example", Some(row.as_bytes()));
            let level = level_at(&client, &parameters(), &policy, Exchanger::None, records);
            assert_eq!(level, expected, "{row} {records:?}");
        }
    }
}
