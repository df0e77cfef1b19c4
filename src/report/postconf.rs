//! What was understood, printed as postconf prints it (`postconf/postconf_main.c`,
//! `postconf_master.c`, `postconf_print.c`), byte for byte.

use std::borrow::Cow;

use crate::config::{ConfigDirectory, Configuration, Effective, Names, Services, Within};
use crate::syntax::expand::Error;
use crate::syntax::lists::{self, BLANKS_FLAT};
use crate::syntax::master_cf::{self, FIELDS, ServiceText};

/// Whether `$name` is shown as it is written, or what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// As written: `postconf -n`.
    Written,
    /// Expanded: `postconf -nx`.
    Expanded,
}

/// A value that cannot be shown: its name, or itself, and why.
pub type Unexpandable = (String, Error);

/// Where `postconf -M` puts each field.
const COLUMNS: [usize; FIELDS.len()] = [0, 11, 17, 25, 33, 41, 49, 57];

/// main.cf as `postconf -n`, or `-nx`, shows it.
pub fn settings(
    effective: &Effective<'_>,
    names: &Names,
    values: Values,
) -> Result<Vec<u8>, Unexpandable> {
    let main = effective.main;
    let mut lines: Vec<(&[u8], Cow<'_, [u8]>)> = main
        .effective_settings()
        .filter(|it| names.knows(it.name()) && !is_read_only(main, it.name()))
        .map(|it| (it.name(), Cow::Owned(it.value().text().to_vec())))
        .collect();
    // Postfix puts it there itself, where a directory is named to it.
    if let ConfigDirectory::Named(directory) = &main.environment.config_directory
        && let Err(place) = lines.binary_search_by_key(&b"config_directory".as_slice(), |it| it.0)
    {
        lines.insert(place, (b"config_directory", Cow::Borrowed(directory)));
    }
    let mut out = Vec::new();
    for (name, value) in lines {
        let value = shown(effective, Within::Main, name, value, values)?;
        print(&mut out, &[name, b" = ", &value]);
    }
    Ok(out)
}

/// master.cf as `postconf -M`, or `-Mx`, shows it.
pub fn services(
    effective: &Effective<'_>,
    services: &Services<'_>,
    values: Values,
) -> Result<Vec<u8>, Unexpandable> {
    let mut out = Vec::new();
    for (service, scope) in services.all().zip(effective.scopes.iter()) {
        let start = out.len();
        for (index, column) in COLUMNS.into_iter().enumerate() {
            if index > 0 {
                let width = (column + start).saturating_sub(out.len()).max(1);
                out.extend(std::iter::repeat_n(b' ', width));
            }
            out.extend_from_slice(service.field(index));
        }
        arguments(&mut out, &service, |value| match values {
            Values::Written => Ok(Cow::Borrowed(value)),
            Values::Expanded => effective
                .expand(value, Within::Service(scope))
                .map(Cow::Owned)
                .map_err(|error| (String::from_utf8_lossy(value).into_owned(), error)),
        })?;
        out.push(b'\n');
    }
    Ok(out)
}

/// The `-o` values as `postconf -P`, or `-Px`, shows them.
pub fn overrides(effective: &Effective<'_>, values: Values) -> Result<Vec<u8>, Unexpandable> {
    let mut out = Vec::new();
    for scope in effective.scopes.iter() {
        for (name, local) in scope.settings.iter().flatten() {
            if is_read_only(effective.main, name) {
                continue;
            }
            let value = Cow::Borrowed(local.value.as_slice());
            let value = match values {
                Values::Written => value,
                Values::Expanded => expanded(effective, Within::Service(scope), name, &value)?,
            };
            print(&mut out, &[&scope.name, b"/", name, b" = ", &value]);
        }
    }
    Ok(out)
}

fn is_read_only(main: &Configuration<'_>, name: &[u8]) -> bool {
    str::from_utf8(name).is_ok_and(|it| main.is_read_only(it))
}

/// Whatever postconf says of a value of main.cf; it does not expand raw parameters.
fn shown<'v>(
    effective: &Effective<'_>,
    within: Within<'_>,
    name: &[u8],
    value: Cow<'v, [u8]>,
    values: Values,
) -> Result<Cow<'v, [u8]>, Unexpandable> {
    let raw = str::from_utf8(name).is_ok_and(|name| effective.main.is_raw(name));
    match values {
        Values::Expanded if !raw => expanded(effective, within, name, &value),
        Values::Expanded | Values::Written => Ok(value),
    }
}

fn expanded(
    effective: &Effective<'_>,
    within: Within<'_>,
    name: &[u8],
    value: &[u8],
) -> Result<Cow<'static, [u8]>, Unexpandable> {
    let name = || String::from_utf8_lossy(name).into_owned();
    effective.expand(value, within).map(Cow::Owned).map_err(|error| (name(), error))
}

/// Words behind the command, those with blanks in braces.
fn arguments(
    out: &mut Vec<u8>,
    service: &ServiceText<'_>,
    mut value: impl FnMut(&[u8]) -> Result<Cow<'_, [u8]>, Unexpandable>,
) -> Result<(), Unexpandable> {
    let pieces = service.pieces();
    let mut pieces = pieces.iter();
    let mut options = true;
    while let Some(piece) = pieces.next() {
        let ended = !options;
        options &= master_cf::is_option(&piece.text);
        out.push(b' ');
        if ended {
            in_braces(out, &piece.text);
            continue;
        }
        // The word that ends the options stands as it is, blanks or not.
        out.extend_from_slice(&piece.text);
        if options
            && let b"-o" | b"-" = &*piece.text
            && let Some(behind) = pieces.next()
        {
            out.push(b' ');
            match &*piece.text {
                b"-o" => in_braces(out, &value(&behind.text)?),
                _ => in_braces(out, &behind.text),
            }
        }
    }
    Ok(())
}

fn in_braces(out: &mut Vec<u8>, text: &[u8]) {
    let blank = text.iter().any(|byte| b" \t\r\n".contains(byte));
    if blank {
        out.push(b'{');
    }
    out.extend_from_slice(text);
    if blank {
        out.push(b'}');
    }
}

/// One line, with one blank between words (`pcf_print_line`).
fn print(out: &mut Vec<u8>, parts: &[&[u8]]) {
    let line = parts.concat();
    for (index, word) in lists::words(&line, BLANKS_FLAT).enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(&line[word]);
    }
    out.push(b'\n');
}
