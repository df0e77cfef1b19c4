//! Queries and replies of DNS as bytes: what Postfix makes of a reply (`dns_get_answer`, `dns_get_rr`).
//!
//! It takes every record of the kind that it asked for, whoever owns it, and leaves it to the resolver that they belong
//! together. A name that is no host name spoils the reply.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::str::FromStr as _;

use domain::base::iana::{Class, Rcode, Rtype};
use domain::base::name::{Name, ToName};
use domain::base::rdata::UnknownRecordData;
use domain::base::{Message, MessageBuilder, ParsedRecord};
use domain::rdata::{A, Aaaa, Cname, Mx, Txt};

use crate::observation::dns::TlsaRecord;
use crate::policy::row::is_hostname;

/// So many records of a reply count (`dns_rr_list_limit`, which is fixed in Postfix).
pub const RECORDS: usize = 100;

/// What stands for a TLSA record that is too short to be one.
const UNUSABLE: TlsaRecord =
    TlsaRecord { usage: 255, selector: 255, matching: 255, data: Vec::new() };

/// What fits into a datagram on every way.
const DATAGRAM: u16 = 1232;

/// The kinds of records that we ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A mail exchanger.
    Mx,
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// A certificate association.
    Tlsa,
    /// A text.
    Txt,
    /// Another name.
    Cname,
}

/// What stands in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// Preference and name of a mail exchanger.
    Mx(u16, String),
    /// An address.
    Address(IpAddr),
    /// A certificate association; of one that is too short nothing is left but that it is there.
    Tlsa(TlsaRecord),
    /// A text, its strings joined.
    Txt(Vec<u8>),
    /// Another name.
    Name(String),
}

/// Whether a query says that we know EDNS, and with it DNSSEC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edns {
    With,
    Without,
}

/// A question, and its bytes.
pub(super) struct Query {
    message: Message<Vec<u8>>,
    kind: Kind,
}

/// A reply to it.
pub(super) struct Reply {
    pub(super) reading: Reading,
    /// AD
    pub(super) validated: bool,
    /// TC
    pub(super) truncated: bool,
    code: Rcode,
}

/// What is in a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Records {
        records: Vec<Data>,
        owner: String,
    },
    /// A CNAME record alone.
    Alias(String),
    Nothing,
    NoSuchName,
    NullMx,
    /// A name is no host name.
    Malformed,
    /// The message cannot be read.
    Broken,
    /// A code that says that to ask again makes no difference.
    Refused(Rcode),
}

impl Kind {
    fn number(self) -> Rtype {
        match self {
            Kind::Mx => Rtype::MX,
            Kind::A => Rtype::A,
            Kind::Aaaa => Rtype::AAAA,
            Kind::Tlsa => Rtype::TLSA,
            Kind::Txt => Rtype::TXT,
            Kind::Cname => Rtype::CNAME,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Mx => "MX",
            Kind::A => "A",
            Kind::Aaaa => "AAAA",
            Kind::Tlsa => "TLSA",
            Kind::Txt => "TXT",
            Kind::Cname => "CNAME",
        })
    }
}

impl Query {
    /// A question for `name` with a random id, which wants validated answers.
    pub(super) fn new(name: &str, kind: Kind, edns: Edns) -> io::Result<Query> {
        let name = Name::<Vec<u8>>::from_str(name).map_err(io::Error::other)?;
        let mut builder = MessageBuilder::new_vec();
        let header = builder.header_mut();
        header.set_random_id();
        header.set_rd(true);
        header.set_ad(true);
        let mut builder = builder.question();
        builder.push((name, kind.number(), Class::IN)).map_err(io::Error::other)?;
        let mut builder = builder.additional();
        match edns {
            Edns::With => builder
                .opt(|it| {
                    it.set_udp_payload_size(DATAGRAM);
                    it.set_dnssec_ok(true);
                    Ok(())
                })
                .map_err(io::Error::other)?,
            Edns::Without => {}
        }
        Ok(Query { message: builder.into_message(), kind })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.message.as_slice()
    }

    /// The reply in these bytes; `None`: it is none to this query.
    pub(super) fn read(&self, bytes: &[u8]) -> Option<Reply> {
        let reply = Message::from_octets(bytes).ok()?;
        let (ours, theirs) = (self.message.header(), reply.header());
        if ours.id() != theirs.id() || !theirs.qr() {
            return None;
        }
        let code = theirs.rcode();
        // Who cannot read a query may not be able to repeat it.
        let may_lack = code != Rcode::NOERROR && reply.header_counts().qdcount() == 0;
        if !may_lack {
            let asked = self.message.sole_question().ok()?;
            let answered = reply.sole_question().ok()?;
            let is_same = asked.qname().name_eq(answered.qname())
                && asked.qtype() == answered.qtype()
                && asked.qclass() == answered.qclass();
            if !is_same {
                return None;
            }
        }
        let reading = match code {
            Rcode::NOERROR => reading(&reply, self.kind),
            Rcode::NXDOMAIN => Reading::NoSuchName,
            code => Reading::Refused(code),
        };
        Some(Reply { reading, validated: theirs.ad(), truncated: theirs.tc(), code })
    }
}

impl Reply {
    /// What makes the C library ask the next server, in words.
    pub(super) fn trouble(&self) -> Option<&'static str> {
        match self.code {
            Rcode::SERVFAIL => Some("the server fails"),
            Rcode::NOTIMP => Some("the server does not know such questions"),
            Rcode::REFUSED => Some("the server refuses to answer"),
            _ => None,
        }
    }

    pub(super) fn dislikes_edns(&self) -> bool {
        self.code == Rcode::FORMERR
    }
}

fn reading(reply: &Message<&[u8]>, kind: Kind) -> Reading {
    let Ok(answer) = reply.answer() else { return Reading::Broken };
    let (mut records, mut owner, mut alias) = (Vec::new(), None, None);
    // What there is instead, if nothing counts: something broken may be whole the next time.
    let mut instead = Reading::Nothing;
    for record in answer {
        let Ok(record) = record else { return Reading::Broken };
        if record.class() != Class::IN {
            return Reading::Broken;
        }
        let name = record.owner().to_string();
        if !is_name(&name) {
            return Reading::Malformed;
        }
        if record.rtype() == kind.number() {
            match data(&record, kind) {
                Ok(found) => {
                    records.push(found);
                    owner.get_or_insert(name);
                    if records.len() == RECORDS {
                        break;
                    }
                }
                Err(Reading::NullMx) => return Reading::NullMx,
                Err(_) if instead == Reading::Broken => {}
                Err(other) => instead = other,
            }
        } else if record.rtype() == Rtype::CNAME {
            match data(&record, Kind::Cname) {
                Ok(Data::Name(name)) => alias = Some(name),
                Ok(_) => {}
                Err(other) => return other,
            }
        }
    }
    match (owner, alias) {
        (Some(owner), _) => Reading::Records { records, owner },
        (None, Some(alias)) => Reading::Alias(alias),
        (None, None) => instead,
    }
}

fn data(record: &ParsedRecord<'_, &[u8]>, kind: Kind) -> Result<Data, Reading> {
    match kind {
        Kind::Mx => {
            let Ok(Some(mx)) = record.to_record::<Mx<_>>() else { return Err(Reading::Broken) };
            if mx.data().exchange().is_root() {
                return Err(Reading::NullMx);
            }
            Ok(Data::Mx(mx.data().preference(), host(&mx.data().exchange().to_string())?))
        }
        Kind::A => {
            let Ok(Some(found)) = record.to_record::<A>() else { return Err(Reading::Broken) };
            Ok(Data::Address(IpAddr::V4(found.data().addr())))
        }
        Kind::Aaaa => {
            let Ok(Some(found)) = record.to_record::<Aaaa>() else { return Err(Reading::Broken) };
            Ok(Data::Address(IpAddr::V6(found.data().addr())))
        }
        Kind::Tlsa => {
            let found = record.to_record::<UnknownRecordData<_>>();
            let Ok(Some(found)) = found else { return Err(Reading::Broken) };
            match found.data().data() {
                [usage, selector, matching, data @ ..] if !data.is_empty() => {
                    let (usage, selector, matching) = (*usage, *selector, *matching);
                    Ok(Data::Tlsa(TlsaRecord { usage, selector, matching, data: data.to_vec() }))
                }
                // Postfix has it for a record that cannot be used, as it has those of a usage that it does not know.
                _ => Ok(Data::Tlsa(UNUSABLE)),
            }
        }
        Kind::Txt => {
            let Ok(Some(found)) = record.to_record::<Txt<_>>() else { return Err(Reading::Broken) };
            Ok(Data::Txt(found.data().iter().flatten().copied().collect()))
        }
        Kind::Cname => {
            let found = record.to_record::<Cname<_>>();
            let Ok(Some(found)) = found else { return Err(Reading::Broken) };
            Ok(Data::Name(host(&found.data().cname().to_string())?))
        }
    }
}

fn host(name: &str) -> Result<String, Reading> {
    if is_name(name) { Ok(name.to_owned()) } else { Err(Reading::Malformed) }
}

/// A host name, or an address, which some write where a name belongs (`valid_rr_name`).
fn is_name(name: &str) -> bool {
    let rest = name.strip_prefix("*.").unwrap_or(name);
    is_hostname(rest.as_bytes()) || name.parse::<IpAddr>().is_ok()
}
