//! Names and namespaces (Namespaces in XML 1.0).

use std::borrow::Cow;

use super::{Fault, cut};

/// What the namespaces of update documents begin with.
const MSUS: &str = "http://schemas.microsoft.com/msus/";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// Namespaces that are known from the start, at the places of the constants of [`Ns`].
const KNOWN: [&str; 10] = [
    "",
    "http://www.w3.org/XML/1998/namespace",
    "http://www.w3.org/2001/XMLSchema-instance",
    "http://schemas.microsoft.com/msus/2002/12/Update",
    "http://schemas.microsoft.com/msus/2002/12/BaseApplicabilityRules",
    "http://schemas.microsoft.com/msus/2002/12/LogicalApplicabilityRules",
    "http://schemas.microsoft.com/msus/2002/12/MsiApplicabilityRules",
    "http://schemas.microsoft.com/msus/2002/12/CbsApplicabilityRules",
    "http://schemas.microsoft.com/msus/2002/12/UpdateHandlers/WindowsDriver",
    "http://schemas.microsoft.com/msus/2002/12/UpdateHandlers/Category",
];

/// A namespace: its number in the list of the document.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(in crate::document) struct Ns(u32);

impl Ns {
    /// No namespace.
    pub(in crate::document) const NONE: Self = Self(0);
    /// That of the prefix `xml`.
    const XML: Self = Self(1);
    /// `XMLSchema-instance`, of `xsi:type`.
    pub(in crate::document) const XSI: Self = Self(2);
    /// `Update`, the document itself.
    pub(in crate::document) const UPDATE: Self = Self(3);
    /// `BaseApplicabilityRules`.
    pub(in crate::document) const BASE: Self = Self(4);
    /// `LogicalApplicabilityRules`.
    pub(in crate::document) const LOGIC: Self = Self(5);
    /// `MsiApplicabilityRules`.
    pub(in crate::document) const MSI: Self = Self(6);
    /// `CbsApplicabilityRules`.
    pub(in crate::document) const CBS: Self = Self(7);
    /// `UpdateHandlers/WindowsDriver`.
    pub(in crate::document) const DRIVER: Self = Self(8);
    /// `UpdateHandlers/Category`.
    pub(in crate::document) const CATEGORY: Self = Self(9);
}

/// The namespaces of a document, and which prefixes are bound to them where the reader stands.
pub(in crate::document) struct Namespaces<'t> {
    limit: usize,
    /// Name, and whether it is one of update documents.
    names: Vec<(Cow<'t, str>, bool)>,
    bindings: Vec<(&'t str, Ns)>,
}

impl<'t> Namespaces<'t> {
    pub(super) fn new(limit: usize) -> Self {
        let names = KNOWN.iter().map(|name| (Cow::Borrowed(*name), name.starts_with(MSUS))).collect();
        Self { limit, names, bindings: Vec::new() }
    }

    /// Declarations in force, to come back to with [`release`](Self::release).
    pub(super) fn mark(&self) -> usize {
        self.bindings.len()
    }

    pub(super) fn release(&mut self, mark: usize) {
        self.bindings.truncate(mark);
    }

    /// The name of a namespace; empty for none.
    pub(in crate::document) fn name(&self, ns: Ns) -> &str {
        self.names.get(ns.0 as usize).map_or("", |(name, _)| name)
    }

    /// Whether a namespace is one of update documents, in which names suffice in fragments.
    pub(in crate::document) fn is_msus(&self, ns: Ns) -> bool {
        self.names.get(ns.0 as usize).is_some_and(|&(_, msus)| msus)
    }

    /// Binds a prefix (empty: the default namespace) on an element whose declarations begin at `mark`.
    pub(super) fn declare(&mut self, mark: usize, prefix: &'t str, name: Cow<'t, str>) -> Result<(), Fault> {
        let ns = self.number(name)?;
        let reserved = self.name(ns) == XMLNS || prefix == "xmlns" || (prefix == "xml") != (ns == Ns::XML);
        if reserved || (ns == Ns::NONE && !prefix.is_empty()) {
            return Err(Fault::Syntax(format!("declaration of prefix {:?}", cut(prefix))));
        }
        if self.bindings.iter().skip(mark).any(|&(other, _)| other == prefix) {
            return Err(Fault::AttributeTwice(format!("xmlns:{}", cut(prefix))));
        }
        if self.bindings.len() >= self.limit {
            return Err(Fault::Limit { what: "namespace declarations in force", limit: self.limit });
        }
        self.bindings.push((prefix, ns));
        Ok(())
    }

    fn number(&mut self, name: Cow<'t, str>) -> Result<Ns, Fault> {
        let found = self.names.iter().position(|(known, _)| *known == name);
        let index = found.unwrap_or(self.names.len());
        if found.is_none() {
            if index >= self.limit.saturating_add(KNOWN.len()) {
                return Err(Fault::Limit { what: "namespaces", limit: self.limit });
            }
            let msus = name.starts_with(MSUS);
            self.names.push((name, msus));
        }
        u32::try_from(index).map(Ns).map_err(|_| Fault::Limit { what: "namespaces", limit: self.limit })
    }

    /// The namespace of a prefix; the empty one is the default namespace.
    pub(in crate::document) fn bound(&self, prefix: &str) -> Result<Ns, Fault> {
        // Empty prefixes are told by their length: comparing two empty slices costs a hundred cycles on some processors,
        // where the masked load from their dangling address takes a slow path.
        let same = |bound: &str| bound.len() == prefix.len() && (prefix.is_empty() || bound == prefix);
        match self.bindings.iter().rev().find(|(bound, _)| same(bound)) {
            Some(&(_, ns)) => Ok(ns),
            None if prefix.is_empty() => Ok(Ns::NONE),
            None if prefix == "xml" => Ok(Ns::XML),
            None => Err(Fault::UnboundPrefix(cut(prefix))),
        }
    }

    /// Namespace and local name of an element.
    pub(super) fn element(&self, qualified: &'t str) -> Result<(Ns, &'t str), Fault> {
        let (prefix, local) = split(qualified)?;
        if prefix == "xmlns" {
            return Err(Fault::UnboundPrefix(prefix.to_owned()));
        }
        Ok((self.bound(prefix)?, local))
    }

    /// Namespace and local name of an element of a fragment, in which elements of update documents have no declarations:
    /// three namespaces left a prefix behind (MS-WUSP 3.1.1.1), the logical rules and those of packages are told by their
    /// names, which no other vocabulary of rules has, and the rest is `Update`. A declaration in force is that of a
    /// namespace outside update documents.
    pub(super) fn fragment_element(&self, qualified: &'t str) -> Result<(Ns, &'t str), Fault> {
        const PREFIXES: [(&str, Ns); 3] = [("b.", Ns::BASE), ("m.", Ns::MSI), ("d.", Ns::DRIVER)];
        let (ns, local) = self.element(qualified)?;
        for (prefix, known) in PREFIXES {
            if let Some(rest) = qualified.strip_prefix(prefix)
                && is_name(rest)
            {
                return Ok((known, rest));
            }
        }
        let ns = match local {
            _ if ns != Ns::NONE => ns,
            "And" | "False" | "Not" | "Or" | "True" => Ns::LOGIC,
            _ if local.starts_with("CbsPackage") => Ns::CBS,
            _ => Ns::UPDATE,
        };
        Ok((ns, local))
    }
}

/// How many bytes at the beginning of a text may be those of a qualified name.
pub(super) fn scan(text: &[u8]) -> usize {
    text.iter().take_while(|&&byte| NAME.get(usize::from(byte)).is_some_and(|&class| class != 0)).count()
}

/// Splits a qualified name into prefix (empty if none) and local name.
pub(super) fn split(qualified: &str) -> Result<(&str, &str), Fault> {
    let (prefix, local) = match qualified.bytes().position(|byte| byte == b':') {
        Some(colon) => match (qualified.get(..colon), qualified.get(colon + 1..)) {
            (Some(prefix), Some(local)) if is_name(prefix) => (prefix, local),
            _ => ("", ""),
        },
        None => ("", qualified),
    };
    if is_name(local) { Ok((prefix, local)) } else { Err(Fault::Syntax(format!("name {:?}", cut(qualified)))) }
}

/// Classes of bytes: 1 begins a name, 2 goes on, 3 is the colon. All of Unicode beyond ASCII is taken for letters.
const NAME: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' | 0x80.. => 1,
            b'0'..=b'9' | b'-' | b'.' => 2,
            b':' => 3,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

/// Whether a text is a name without colon.
pub(super) fn is_name(text: &str) -> bool {
    let class = |byte: &u8| NAME.get(usize::from(*byte)).copied().unwrap_or(0);
    match text.as_bytes() {
        [first, rest @ ..] => class(first) == 1 && rest.iter().all(|byte| matches!(class(byte), 1 | 2)),
        [] => false,
    }
}
