//! Update documents: any text is read or refused, the same in one pass and in two, and what was derived can be read.

use weir_model::document::{Fragments, Limits, UpdateDocument, escape_into, escaped_len, read};

pub(super) fn run(data: &[u8]) -> bool {
    let text = &*String::from_utf8_lossy(data);
    let limits = Limits { bytes: 1 << 20, elements: 10_000, ..Limits::default() };
    let parsed = UpdateDocument::parse(text, &limits);
    let derived = Fragments::derive_within(text, &limits);
    let Ok((document, fragments)) = read(text, &limits) else {
        assert!(parsed.is_err());
        return false;
    };
    assert_eq!(Ok(&document), parsed.as_ref());
    assert_eq!(Ok(&fragments), derived.as_ref());

    let mut wire = String::new();
    escape_into(&mut wire, &fragments.core);
    assert_eq!(wire.len(), escaped_len(&fragments.core));

    // A fragment is a sequence of elements: put back into a document, it gives itself. Not so with `xml:space`, which
    // becomes an attribute like any other. Declarations move inwards, so there may be more of them.
    if text.contains("xml:space") {
        return true;
    }
    let wide = Limits { bytes: 16 << 20, attributes: 1 << 10, namespaces: 1 << 10, ..limits };
    let wrapped =
        format!("<Update xmlns=\"http://schemas.microsoft.com/msus/2002/12/Update\">{}</Update>", fragments.core);
    let again = Fragments::derive_within(&wrapped, &wide).expect("a derived fragment is well-formed");
    assert_eq!(again.core, fragments.core);
    true
}
