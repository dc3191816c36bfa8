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
    while let Some((name, value)) = attribute(&mut rest)? {
        count += 1;
        if count > limit {
            return Err(Fault::Limit { what: "attributes of one element", limit });
        }
        let value = resolve(value)?;
        let (prefix, local) = names::split(name)?;
        match (prefix, local) {
            ("", "xmlns") => namespaces.declare(mark, "", value)?,
            ("xmlns", prefix) => namespaces.declare(mark, prefix, value)?,
            _ => {
                prefixed |= !prefix.is_empty();
                if prefix == "xml" && local == "space" {
                    space = Some(&*value == "preserve");
                }
                attributes.push(Attribute { ns: Ns::NONE, local, value, prefix });
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

/// The next `name="value"`, the value as written; none at the end of the tag.
fn attribute<'t>(rest: &mut &'t str) -> Result<Option<(&'t str, &'t str)>, Fault> {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    let syntax = |message: &str, near: &str| Fault::Syntax(format!("{message} near {:?}", cut(near)));
    let trimmed = rest.trim_start_matches(blank);
    if trimmed.is_empty() {
        return Ok(None);
    }
    if trimmed.len() == rest.len() {
        return Err(syntax("no blank before an attribute", trimmed));
    }
    let (name, after) = trimmed.split_once('=').ok_or_else(|| syntax("attribute without a value", trimmed))?;
    let after = after.trim_start_matches(blank);
    let quote = match after.as_bytes().first() {
        Some(b'"') => '"',
        Some(b'\'') => '\'',
        _ => return Err(syntax("attribute value without quotes", trimmed)),
    };
    let (value, after) = after
        .get(1..)
        .and_then(|after| after.split_once(quote))
        .ok_or_else(|| syntax("attribute value without an end", trimmed))?;
    *rest = after;
    Ok(Some((name.trim_end_matches(blank), value)))
}

/// Resolves the references of an attribute value. Line breaks and tabs stay what they are.
fn resolve(raw: &str) -> Result<Cow<'_, str>, Fault> {
    if raw.contains('<') {
        return Err(Fault::Syntax("< in an attribute value".to_owned()));
    }
    let Some((mut plain, mut rest)) = raw.split_once('&') else {
        return Ok(Cow::Borrowed(raw));
    };
    let mut value = String::with_capacity(raw.len());
    loop {
        value.push_str(plain);
        let (name, after) = rest
            .split_once(';')
            .ok_or_else(|| Fault::Syntax("& without a reference in an attribute value".to_owned()))?;
        value.push(text::reference(name)?);
        match after.split_once('&') {
            Some((before, next)) => (plain, rest) = (before, next),
            None => {
                value.push_str(after);
                return Ok(Cow::Owned(value));
            }
        }
    }
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
