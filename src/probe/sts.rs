//! Gets a domain's MTA-STS policy (RFC 8461): its record in DNS, and the text that `https://mta-sts.DOMAIN` gives.
//!
//! The web server must prove its name to the system's authorities. Redirects are not followed, as the RFC has it. What it sends
//! is bounded in time and in bytes. Of its addresses the first ones are tried.

mod web;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::dns::{Answer, Data, Kind, Resolver};
use super::published::texts;
use crate::observation::Looked;
use crate::observation::dns::{Sts, StsPolicy};
use crate::observation::published;

/// So many addresses of a web server are tried.
const ADDRESSES: usize = 4;

/// How web servers are asked.
#[derive(Clone, Debug)]
pub struct Web {
    /// The port of HTTPS.
    pub port: u16,
    /// Who is trusted to sign certificates, in PEM form; empty: the system's authorities.
    pub authorities: Vec<u8>,
    /// A policy takes no longer than this.
    pub patience: Duration,
}

impl Default for Web {
    fn default() -> Web {
        Web { port: 443, authorities: Vec::new(), patience: Duration::from_secs(20) }
    }
}

/// The policy of a domain.
pub fn look_up(resolver: &Resolver, domain: &str) -> Looked<Sts> {
    look_up_by(resolver, domain, &Web::default())
}

/// The same, by web servers that are asked in another way than usual.
pub fn look_up_by(resolver: &Resolver, domain: &str, web: &Web) -> Looked<Sts> {
    let texts = match texts(resolver, "_mta-sts", domain) {
        Looked::Found(texts) => texts,
        Looked::Nothing => return Looked::Nothing,
        Looked::Failed(words) => return Looked::Failed(words),
        Looked::Late(why) => return Looked::Late(why),
        Looked::NotAsked(why) => return Looked::NotAsked(why),
    };
    match published::sts_record(&texts) {
        None => Looked::Nothing,
        Some(Err(why)) => Looked::Found(Sts { record: texts.join(" | "), policy: Err(why) }),
        Some(Ok(record)) => {
            let policy = policy(resolver, domain, web);
            Looked::Found(Sts { record: record.to_owned(), policy })
        }
    }
}

fn policy(resolver: &Resolver, domain: &str, web: &Web) -> Result<StsPolicy, String> {
    let end = Instant::now() + web.patience;
    let domain = idna::domain_to_ascii(domain).map_err(|_| "it is no domain")?;
    let host = format!("mta-sts.{domain}");
    let mut trouble = format!("{host} has no address");
    let addresses = addresses(resolver, &host)?;
    for address in addresses.into_iter().take(ADDRESSES) {
        match web::get(address, &host, "/.well-known/mta-sts.txt", web, end) {
            Ok(text) => return published::sts_policy(&text),
            Err(web::Trouble::Unreachable(why)) => trouble = format!("{host}[{address}]: {why}"),
            // The server is the one, and another address of it would say the same.
            Err(web::Trouble::Wrong(why)) => return Err(format!("{host}: {why}")),
        }
    }
    Err(trouble)
}

fn addresses(resolver: &Resolver, host: &str) -> Result<Vec<IpAddr>, String> {
    let (mut addresses, mut trouble) = (Vec::new(), None);
    for kind in [Kind::A, Kind::Aaaa] {
        match resolver.ask(host, kind) {
            Answer::Found(found) => {
                let found = found.records.iter().filter_map(|it| match it {
                    Data::Address(address) => Some(*address),
                    Data::Mx(..) | Data::Tlsa(_) | Data::Txt(_) | Data::Name(_) => None,
                });
                addresses.extend(found);
            }
            Answer::Nothing(_) | Answer::NullMx => {}
            Answer::Malformed(words)
            | Answer::Refused(words)
            | Answer::Failed(words)
            | Answer::Late(words) => {
                trouble = Some(words);
            }
        }
    }
    match trouble {
        Some(trouble) if addresses.is_empty() => Err(trouble),
        Some(_) | None => Ok(addresses),
    }
}
