//! Writing fragments and their form on the wire.

/// Appends a fragment in the form it has inside an `Xml` element of an answer.
pub fn escape_into(_out: &mut String, _fragment: &str) {
    unimplemented!()
}

/// How many bytes [`escape_into`] appends.
pub fn escaped_len(_fragment: &str) -> usize {
    unimplemented!()
}
