//! The XML of a document as a stream of elements with resolved namespaces.

/// What a document may have at most.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes of text. The largest genuine documents have about 50 MB.
    pub bytes: usize,
    /// Elements inside each other.
    pub depth: usize,
    /// Elements in all.
    pub elements: usize,
    /// Attributes of one element, namespace declarations included.
    pub attributes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 256 << 20, depth: 256, elements: 8_000_000, attributes: 256 }
    }
}
