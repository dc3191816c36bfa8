//! Attributes of a start tag.

use std::borrow::Cow;

use super::{
    Fault, Ns, cut,
    names::{self, Namespaces},
    text,
};

/// An attribute that is no namespace declaration.
#[derive(Clone, Debug)]
pub(in crate::document) struct Attribute<'t> {
    /// Namespace; none without a prefix, whatever the default namespace.
    pub(in crate::document) ns: Ns,
    /// Local name.
    pub(in crate::document) local: &'t str,
    /// Value, references resolved.
    pub(in crate::document) value: Cow<'t, str>,
    /// The value is written as it is: it has no character that needs a reference.
    pub(in crate::document) plain: bool,
    prefix: &'t str,
}

/// Reads what follows the name in a start tag, up to its end, and declares the namespaces. Tells the `xml:space` of the
/// element, if stated: whether blanks count.
pub(super) fn read<'t>(
    mut rest: &'t str,
    limit: usize,
    namespaces: &mut Namespaces<'t>,
    attributes: &mut Vec<Attribute<'t>>,
) -> Result<Option<bool>, Fault> {
    attributes.clear();
    let mark = namespaces.mark();
    let mut space = None;
    let mut count = 0;
    let mut prefixed = false;
    while let Some(Raw { prefix, local, value, references, special }) = attribute(&mut rest)? {
        count += 1;
        if count > limit {
            return Err(Fault::Limit { what: "attributes of one element", limit });
        }
        let value = if references { Cow::Owned(resolve(value)?) } else { Cow::Borrowed(value) };
        match (prefix, local) {
            ("", "xmlns") => namespaces.declare(mark, "", value)?,
            ("xmlns", prefix) => namespaces.declare(mark, prefix, value)?,
            _ => {
                prefixed |= !prefix.is_empty();
                if prefix == "xml" && local == "space" {
                    space = Some(&*value == "preserve");
                }
                let plain = !references && !special;
                attributes.push(Attribute { ns: Ns::NONE, local, value, plain, prefix });
            }
        }
    }
    if prefixed {
        for attribute in attributes.iter_mut().filter(|attribute| !attribute.prefix.is_empty()) {
            attribute.ns = namespaces.bound(attribute.prefix)?;
        }
    }
    distinct(attributes)?;
    Ok(space)
}

/// An attribute as written.
struct Raw<'t> {
    prefix: &'t str,
    local: &'t str,
    value: &'t str,
    /// The value has references.
    references: bool,
    /// The value has characters that are not written as they are.
    special: bool,
}

/// The next `name="value"`; none at the end of the tag.
fn attribute<'t>(rest: &mut &'t str) -> Result<Option<Raw<'t>>, Fault> {
    let text: &'t str = rest;
    let bytes = text.as_bytes();
    let syntax =
        |message: &str, at: usize| Fault::Syntax(format!("{message} near {:?}", cut(text.get(at..).unwrap_or(text))));
    let blanks = |from: usize| {
        let after = bytes.get(from..).unwrap_or_default();
        from + after.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count()
    };
    let start = blanks(0);
    if start == bytes.len() {
        return Ok(None);
    }
    if start == 0 {
        return Err(syntax("no blank before an attribute", start));
    }
    let length = names::scan(bytes.get(start..).unwrap_or_default());
    let (prefix, local) = names::split(text.get(start..start + length).unwrap_or_default())?;
    let equals = blanks(start + length);
    if bytes.get(equals) != Some(&b'=') {
        return Err(syntax("attribute without a value", start));
    }
    let open = blanks(equals + 1);
    let Some(&quote @ (b'"' | b'\'')) = bytes.get(open) else {
        return Err(syntax("attribute value without quotes", start));
    };
    let (mut references, mut special) = (false, false);
    for (at, &byte) in bytes.iter().enumerate().skip(open + 1) {
        if byte == quote {
            let value = text.get(open + 1..at).unwrap_or_default();
            *rest = text.get(at + 1..).unwrap_or_default();
            return Ok(Some(Raw { prefix, local, value, references, special }));
        }
        match byte {
            b'&' => references = true,
            b'<' => return Err(syntax("< in an attribute value", start)),
            b'>' | b'"' | b'\t' | b'\r' | b'\n' => special = true,
            _ => {}
        }
    }
    Err(syntax("attribute value without an end", start))
}

/// Resolves the references of an attribute value. Line breaks and tabs stay what they are.
fn resolve(raw: &str) -> Result<String, Fault> {
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, after)) = rest.split_once('&') {
        value.push_str(plain);
        let (name, after) = after
            .split_once(';')
            .ok_or_else(|| Fault::Syntax("& without a reference in an attribute value".to_owned()))?;
        value.push(text::reference(name)?);
        rest = after;
    }
    value.push_str(rest);
    Ok(value)
}

/// Refuses two attributes of one name (Namespaces in XML 1.0, 6.3).
fn distinct(attributes: &[Attribute<'_>]) -> Result<(), Fault> {
    let twice = |attribute: &Attribute<'_>| Fault::AttributeTwice(cut(attribute.local));
    let key = |attribute: &Attribute<'_>| (attribute.local.len(), attribute.ns);
    if attributes.len() <= 12 {
        for (index, attribute) in attributes.iter().enumerate().skip(1) {
            let before = attributes.get(..index).unwrap_or_default();
            if before.iter().any(|other| key(other) == key(attribute) && other.local == attribute.local) {
                return Err(twice(attribute));
            }
        }
        return Ok(());
    }
    let mut sorted: Vec<_> = attributes.iter().collect();
    sorted.sort_unstable_by_key(|attribute| (attribute.local, attribute.ns));
    match sorted.windows(2).find(|pair| matches!(pair, [a, b] if a.local == b.local && a.ns == b.ns)) {
        Some(&[attribute, _]) => Err(twice(attribute)),
        _ => Ok(()),
    }
}
