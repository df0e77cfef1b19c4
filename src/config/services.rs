//! The services of master.cf and the parameters that they set for themselves.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::syntax::lists::{self, Assignment};
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

/// A service and what it sets, as `postconf -P` sees it.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The service's name, such as `smtp`.
    pub service: Vec<u8>,
    /// Where its name stands.
    pub service_span: Span,
    /// Its name and type: `smtp/inet`. Services that share it share their parameters.
    pub name: Vec<u8>,
    /// The command.
    pub command: Vec<u8>,
    /// What the chroot column says.
    pub chroot: Vec<u8>,
    /// The last value for each name, sorted; `None` where neither this service
    /// nor an earlier one with its name sets any.
    pub settings: Option<BTreeMap<Vec<u8>, Local>>,
}

/// A value that a service sets.
#[derive(Clone, Debug)]
pub struct Local {
    /// The value before expansion.
    pub value: Vec<u8>,
    /// Where it stands.
    pub span: Span,
    /// Where the name stands.
    pub name_span: Span,
}

impl Scope {
    /// The command without its directory.
    pub fn program(&self) -> &[u8] {
        self.command.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }
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

    /// The `-o` in front of its value, with it: all of its line where nothing else stands there,
    /// else with the blanks in front. `None` where the two do not stand in one line, or where
    /// other options stand in the same word.
    pub fn option(&self, value: Range<usize>) -> Option<Span> {
        let before = self.bytes.get(..value.start)?;
        let before = before.trim_ascii_end().strip_suffix(b"-o")?;
        let is_blank = |it: &u8| matches!(it, b' ' | b'\t');
        before.last().filter(|it| is_blank(it))?;
        if self.bytes[before.len()..value.end].contains(&b'\n') {
            return None;
        }
        let start = before.len() - before.iter().rev().take_while(|it| is_blank(it)).count();
        let behind = &self.bytes[value.end..];
        let blanks = behind.iter().take_while(|it| is_blank(it) || **it == b'\r').count();
        let is_alone = start > 0 && self.bytes[start - 1] == b'\n';
        match behind.get(blanks) {
            Some(b'\n') if is_alone => Some(self.span(start..value.end + blanks + 1)),
            // The line would begin with what follows, and no longer with a blank.
            Some(_) if is_alone => Some(self.span(start..value.end)).filter(|_| blanks > 0),
            Some(_) | None => Some(self.span(start..value.end)),
        }
    }

    fn overrides_of(&self, service: &ServiceText<'_>) -> Vec<Override> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let name_of_service = text(&name_and_type(service));
        let given = service.arguments().into_iter().filter_map(|argument| match argument {
            Argument::Override {
                assignment: Assignment { name, value: Some(value), .. }, ..
            } => Some(Override {
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

    /// What each service sets (`pcf_register_user_parameters`).
    pub fn scopes(&self) -> Vec<Scope> {
        let mut shared: BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, Local>> = BTreeMap::new();
        let mut scopes = Vec::new();
        for service in self.all() {
            let name = name_and_type(&service);
            let pieces = service.pieces();
            let mut pieces = pieces.iter();
            // Each option begins with "-"; what follows "-o" is its value.
            while let Some(piece) = pieces.next().filter(|it| master_cf::is_option(&it.text)) {
                let value = if matches!(&*piece.text, b"-o" | b"-") { pieces.next() } else { None };
                let Some(value) = value.filter(|_| *piece.text == *b"-o") else { continue };
                let given = lists::assignment(service.all_text(), value.word.clone());
                let Assignment { name: parameter, value: Some(value), .. } = given else {
                    continue;
                };
                if !parameter.is_empty() {
                    let span = self.span(service.locate(value.clone()));
                    let name_span = self.span(service.locate(parameter.clone()));
                    let local = Local { value: service.bytes(value).to_vec(), span, name_span };
                    let parameter = service.bytes(parameter).to_vec();
                    shared.entry(name.clone()).or_default().insert(parameter, local);
                }
            }
            scopes.push(Scope {
                service: service.field(0).to_vec(),
                service_span: self.span(service.field_range(0)),
                command: service.field(7).to_vec(),
                chroot: service.field(4).to_vec(),
                settings: shared.contains_key(&name).then(BTreeMap::new),
                name,
            });
        }
        for scope in &mut scopes {
            if let Some(settings) = &mut scope.settings {
                settings.clone_from(&shared[&scope.name]);
            }
        }
        scopes
    }
}

fn name_and_type(service: &ServiceText<'_>) -> Vec<u8> {
    [service.field(0), b"/", service.field(1)].concat()
}
