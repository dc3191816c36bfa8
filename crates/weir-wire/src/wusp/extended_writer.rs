//! The answers of GetExtendedUpdateInfo and GetExtendedUpdateInfo2 in pieces.

use weir_model::ids::RevisionId;

use super::{FileLocation, Operation, sync_writer::list};
use crate::soap::{FieldValue, SoapVersion, Style, Xml, close_envelope, open_envelope};

/// Writes the pieces of an answer to GetExtendedUpdateInfo or GetExtendedUpdateInfo2:
///
/// ```text
/// head, [updates_open, (update_open, escaped fragment, update_close)*, updates_close], tail
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ExtendedWriter {
    operation: Operation,
    version: SoapVersion,
}

impl ExtendedWriter {
    /// For an answer to GetExtendedUpdateInfo.
    pub fn by_revision(version: SoapVersion) -> Self {
        Self { operation: Operation::GetExtendedUpdateInfo, version }
    }

    /// For an answer to GetExtendedUpdateInfo2.
    pub fn by_identity(version: SoapVersion) -> Self {
        Self { operation: Operation::GetExtendedUpdateInfo2, version }
    }

    /// The beginning of the answer.
    pub fn head(self, out: &mut String) {
        open_envelope(out, Style::Client, self.version, false);
        let (name, attributes) = self.operation.response_element();
        out.extend(["<", &name, &attributes, "><", self.operation.name(), "Result>"]);
    }

    /// Before the first fragment, if there is one.
    pub fn updates_open(self, out: &mut String) {
        out.push_str("<Updates>");
    }

    /// One fragment up to its text, which the caller appends or sends in its escaped form.
    pub fn update_open(self, out: &mut String, id: RevisionId) {
        out.push_str("<Update>");
        id.write_field("ID", &mut Xml::new(out, Style::Client));
        out.push_str("<Xml>");
    }

    /// After the fragment.
    pub fn update_close(self, out: &mut String) {
        out.push_str("</Xml></Update>");
    }

    /// After the last fragment, if there was one.
    pub fn updates_close(self, out: &mut String) {
        out.push_str("</Updates>");
    }

    /// The rest of the answer. GetExtendedUpdateInfo2 knows no out-of-scope list.
    pub fn tail(self, out: &mut String, locations: &[FileLocation], out_of_scope: &[RevisionId]) {
        let mut xml = Xml::new(out, Style::Client);
        list(&mut xml, "FileLocations", "FileLocation", locations);
        if self.operation == Operation::GetExtendedUpdateInfo {
            list(&mut xml, "OutOfScopeRevisionIDs", "int", out_of_scope);
        }
        let name = self.operation.name();
        out.extend(["</", name, "Result></", name, "Response>"]);
        close_envelope(out, Style::Client);
    }
}
