//! What a message is besides its envelope.

use super::{Content, Cursor, Malformed, Xml};

/// Seals the `Answer` and `Call` traits of the protocols: the wire form of a message is that of a record.
pub trait Payload: Sized {
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "the trait is sealed and hidden, only this crate calls it")]
    fn write_payload(&self, xml: &mut Xml<'_>);

    #[doc(hidden)]
    #[expect(private_interfaces, reason = "the trait is sealed and hidden, only this crate calls it")]
    fn read_payload(cursor: &mut Cursor<'_>) -> Result<Self, Malformed>;
}

impl<T: Content> Payload for T {
    #[expect(private_interfaces, reason = "the trait is sealed and hidden, only this crate calls it")]
    fn write_payload(&self, xml: &mut Xml<'_>) {
        self.put(xml);
    }

    #[expect(private_interfaces, reason = "the trait is sealed and hidden, only this crate calls it")]
    fn read_payload(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        Self::read(cursor)
    }
}
