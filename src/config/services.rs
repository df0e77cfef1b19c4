//! The services of master.cf and the parameters that they set for themselves.

use std::ops::Range;

use crate::syntax::master_cf::{self, Argument, MasterCf, ServiceText};
use crate::text::{SourceId, Sources, Span};

/// A master.cf.
#[derive(Debug)]
pub struct Services<'a> {
    source: SourceId,
    bytes: &'a [u8],
    master_cf: MasterCf,
}

/// `-o name=value` of a service.
#[derive(Clone, Debug)]
pub struct Override {
    /// The service as `postconf -P` writes it: `smtp/inet`.
    pub service: String,
    /// The parameter's name.
    pub name: String,
    /// The value before expansion.
    pub value: Vec<u8>,
    /// Where the name stands.
    pub name_span: Span,
    /// Where the value stands.
    pub value_span: Span,
}

impl<'a> Services<'a> {
    /// Reads a master.cf among the sources.
    pub fn new(sources: &'a Sources, source: SourceId) -> Services<'a> {
        let bytes = sources.source(source).bytes();
        Services { source, bytes, master_cf: master_cf::parse(bytes) }
    }

    /// The file as written.
    pub fn master_cf(&self) -> &MasterCf {
        &self.master_cf
    }

    /// A place in master.cf.
    pub fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.source, range)
    }

    /// All bytes of master.cf.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The words of each service.
    pub fn all(&self) -> impl Iterator<Item = ServiceText<'_>> {
        self.master_cf.services().map(|service| service.text(self.bytes))
    }

    /// Every `-o name=value`, in the order of the file. Of two with one name
    /// in a service the last one counts, and both are here.
    pub fn overrides(&self) -> impl Iterator<Item = Override> {
        self.all().flat_map(|service| self.overrides_of(&service))
    }

    fn overrides_of(&self, service: &ServiceText<'_>) -> Vec<Override> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let name_of_service = format!("{}/{}", text(service.field(0)), text(service.field(1)));
        let given = service.arguments().into_iter().filter_map(|argument| match argument {
            Argument::Override { name, value: Some(value), .. } => Some(Override {
                service: name_of_service.clone(),
                name: text(service.bytes(name.clone())),
                value: service.bytes(value.clone()).to_vec(),
                name_span: self.span(service.locate(name)),
                value_span: self.span(service.locate(value)),
            }),
            Argument::Override { .. } | Argument::Dangling(_) | Argument::Word(_) => None,
        });
        given.collect()
    }
}
