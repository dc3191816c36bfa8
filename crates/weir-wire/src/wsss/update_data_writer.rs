//! The answer of GetUpdateData in pieces, so that a server can send documents without holding them all.

use weir_model::ids::{ContentDigest, UpdateIdentity};

use super::Operation;
use crate::soap::{Binary, Content, FieldValue, SoapVersion, Style, Xml, close_envelope, escape_into, open_envelope};

/// Writes the pieces of an answer to GetUpdateData:
///
/// ```text
/// head, update or update_compressed for each document, urls_open, url for each file, tail
/// ```
///
/// Each appends to a text of the caller's, who may send it before it asks for the next. A document that is at hand in its
/// escaped form goes between [`Self::update_open`] and [`Self::update_close`].
#[derive(Clone, Copy, Debug)]
pub struct UpdateDataWriter {
    version: SoapVersion,
}

impl UpdateDataWriter {
    /// For an answer in this version.
    pub fn new(version: SoapVersion) -> Self {
        Self { version }
    }

    /// The beginning of the answer.
    pub fn head(self, out: &mut String) {
        open_envelope(out, Style::Asmx, self.version, false);
        let name = Operation::GetUpdateData.name();
        out.extend(["<", name, "Response xmlns=\"", Operation::GetUpdateData.namespace(), "\"><", name, "Result>"]);
        out.push_str("<updates>");
    }

    /// A document as text, preserved exactly: a carriage return is written as a character reference, since every reader
    /// would make a line feed of a bare one.
    pub fn update(self, out: &mut String, id: UpdateIdentity, document: &str, files: &[ContentDigest]) {
        self.update_open(out, id);
        escape_into(out, document);
        self.update_close(out, files);
    }

    /// A document up to its escaped text.
    pub fn update_open(self, out: &mut String, id: UpdateIdentity) {
        out.push_str("<ServerSyncUpdateData>");
        let mut xml = Xml::new(out, Style::Asmx);
        id.write_field("Id", &mut xml);
        out.push_str("<XmlUpdateBlob>");
    }

    /// What follows the escaped text of a document.
    pub fn update_close(self, out: &mut String, files: &[ContentDigest]) {
        out.push_str("</XmlUpdateBlob>");
        digests(out, files);
        out.push_str("</ServerSyncUpdateData>");
    }

    /// A document in a cabinet, as [`super::blob::compress`] makes it.
    pub fn update_compressed(self, out: &mut String, id: UpdateIdentity, cabinet: &[u8], files: &[ContentDigest]) {
        out.push_str("<ServerSyncUpdateData>");
        id.write_field("Id", &mut Xml::new(out, Style::Asmx));
        digests(out, files);
        out.push_str("<XmlUpdateBlobCompressed>");
        crate::soap::write_base64(out, cabinet);
        out.push_str("</XmlUpdateBlobCompressed></ServerSyncUpdateData>");
    }

    /// After the last document.
    pub fn urls_open(self, out: &mut String) {
        close_list(out, "updates");
        out.push_str("<fileUrls>");
    }

    /// One file; `source` is its address at its publisher, if that is Microsoft. Each digest once.
    pub fn url(self, out: &mut String, digest: ContentDigest, source: Option<&str>) {
        out.push_str("<ServerSyncUrlData>");
        let mut xml = Xml::new(out, Style::Asmx);
        xml.element("FileDigest", |xml| Binary::from(digest).put(xml));
        if let Some(source) = source {
            xml.element("MUUrl", |xml| xml.text(source));
        }
        // Recorded servers send the empty element.
        xml.empty("UssUrl");
        out.push_str("</ServerSyncUrlData>");
    }

    /// The rest of the answer.
    pub fn tail(self, out: &mut String) {
        close_list(out, "fileUrls");
        let name = Operation::GetUpdateData.name();
        out.extend(["</", name, "Result></", name, "Response>"]);
        close_envelope(out, Style::Asmx);
    }
}

fn digests(out: &mut String, files: &[ContentDigest]) {
    if files.is_empty() {
        return;
    }
    let mut xml = Xml::new(out, Style::Asmx);
    xml.open("FileDigestList");
    for digest in files {
        xml.element("base64Binary", |xml| Binary::from(*digest).put(xml));
    }
    xml.close("FileDigestList");
}

/// Ends a list.
fn close_list(out: &mut String, name: &str) {
    // The start tag may have been sent already, so an empty list has an end tag of its own.
    out.extend(["</", name, ">"]);
}
