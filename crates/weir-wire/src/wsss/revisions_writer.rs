//! The answer of GetRevisionIdList in pieces: it is not paged, and a whole catalogue has a hundred thousand entries.

use weir_model::ids::UpdateIdentity;

use super::{AnchorText, Operation};
use crate::soap::{Content, FieldValue, Item, SoapVersion, Style, Xml, close_envelope, open_envelope};

/// Writes the pieces of an answer to GetRevisionIdList: head, entries as often as there are some, tail. Each appends to a
/// text of the caller's, who may send it before it asks for the next.
#[derive(Clone, Copy, Debug)]
pub struct RevisionListWriter {
    version: SoapVersion,
}

impl RevisionListWriter {
    /// For an answer in this version.
    pub fn new(version: SoapVersion) -> Self {
        Self { version }
    }

    /// The beginning of the answer.
    pub fn head(self, out: &mut String, anchor: &AnchorText) {
        open_envelope(out, Style::Asmx, self.version, false);
        let name = Operation::GetRevisionIdList.name();
        out.extend(["<", name, "Response xmlns=\"", Operation::GetRevisionIdList.namespace(), "\"><", name, "Result>"]);
        anchor.write_field("Anchor", &mut Xml::new(out, Style::Asmx));
        out.push_str("<NewRevisions>");
    }

    /// Some of the revisions.
    pub fn entries(self, out: &mut String, revisions: &[UpdateIdentity]) {
        let mut xml = Xml::new(out, Style::Asmx);
        for revision in revisions {
            xml.element(UpdateIdentity::NAME, |xml| revision.put(xml));
        }
    }

    /// The rest of the answer.
    pub fn tail(self, out: &mut String) {
        let name = Operation::GetRevisionIdList.name();
        out.extend(["</NewRevisions></", name, "Result></", name, "Response>"]);
        close_envelope(out, Style::Asmx);
    }
}

#[cfg(test)]
mod tests {
    use weir_model::ids::UpdateId;

    use super::*;
    use crate::wsss::{Answer as _, GetRevisionIdListAnswer, RevisionIdList};

    #[test]
    fn the_pieces_are_the_whole_answer() {
        let revision = |number: u128| UpdateIdentity::new(UpdateId(uuid::Uuid::from_u128(number)), number as u32);
        let revisions: Vec<_> = (1..=5).map(revision).collect();
        let anchor = AnchorText::new("7,2026-10-04 16:33:26.671");
        for version in [SoapVersion::V11, SoapVersion::V12] {
            let writer = RevisionListWriter::new(version);
            let mut pieces = String::new();
            writer.head(&mut pieces, &anchor);
            revisions.chunks(2).for_each(|some| writer.entries(&mut pieces, some));
            writer.tail(&mut pieces);
            let result = RevisionIdList { anchor: anchor.clone(), new_revisions: revisions.clone().into() };
            let mut whole = String::new();
            GetRevisionIdListAnswer { result }.write(&mut whole, version);
            assert_eq!(pieces, whole);
        }
    }
}
