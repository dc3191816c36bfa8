//! The answer of SyncUpdates in pieces, so that the server can send large fragments without copying them.

use weir_model::ids::RevisionId;

use super::{Cookie, Deployment, Operation, UpdateInfo};
use crate::soap::{Content, FieldValue, SoapVersion, Style, Xml, close_envelope, open_envelope};

/// Writes the pieces of an answer to SyncUpdates or SyncPrinterCatalog:
///
/// ```text
/// head, [new_updates_open, (update_open, escaped Core fragment, update_close)*, new_updates_close], tail
/// ```
///
/// Each appends to a text of the caller's, who may send it before it asks for the next.
#[derive(Clone, Copy, Debug)]
pub struct SyncWriter {
    operation: Operation,
    version: SoapVersion,
}

/// Everything that follows the new updates.
#[derive(Clone, Copy, Debug)]
pub struct SyncTail<'t> {
    /// What the computer shall forget.
    pub out_of_scope: &'t [RevisionId],
    /// What it has with another deployment or IsLeaf. No Core.
    pub changed: &'t [UpdateInfo],
    /// Whether there is more.
    pub truncated: bool,
    /// The cookie with the new anchors.
    pub new_cookie: Option<&'t Cookie>,
    /// What it shall hide. Clients from 1.7 on that asked for it.
    pub deployed_out_of_scope: &'t [RevisionId],
    /// Whether no driver is in scope. Clients from 1.7 on.
    pub driver_sync_not_needed: Option<bool>,
}

impl SyncWriter {
    /// For an answer to SyncUpdates.
    pub fn software_or_drivers(version: SoapVersion) -> Self {
        Self { operation: Operation::SyncUpdates, version }
    }

    /// For an answer to SyncPrinterCatalog.
    pub fn printers(version: SoapVersion) -> Self {
        Self { operation: Operation::SyncPrinterCatalog, version }
    }

    /// The beginning of the answer.
    pub fn head(self, out: &mut String) {
        open_envelope(out, Style::Client, self.version, false);
        let (name, attributes) = self.operation.response_element();
        out.extend(["<", &name, &attributes, "><", self.operation.name(), "Result>"]);
    }

    /// Before the first new update, if there is one.
    pub fn new_updates_open(self, out: &mut String) {
        out.push_str("<NewUpdates>");
    }

    /// One new update up to its Core fragment, which the caller appends or sends in its escaped form.
    pub fn update_open(self, out: &mut String, id: RevisionId, deployment: &Deployment, is_leaf: bool) {
        out.push_str("<UpdateInfo>");
        let mut xml = Xml::new(out, Style::Client);
        id.write_field("ID", &mut xml);
        xml.element("Deployment", |xml| deployment.put(xml));
        is_leaf.write_field("IsLeaf", &mut xml);
        out.push_str("<Xml>");
    }

    /// After the Core fragment.
    pub fn update_close(self, out: &mut String) {
        out.push_str("</Xml></UpdateInfo>");
    }

    /// After the last new update, if there was one.
    pub fn new_updates_close(self, out: &mut String) {
        out.push_str("</NewUpdates>");
    }

    /// The rest of the answer.
    pub fn tail(self, out: &mut String, tail: &SyncTail<'_>) {
        let mut xml = Xml::new(out, Style::Client);
        list(&mut xml, "OutOfScopeRevisionIDs", "int", tail.out_of_scope);
        list(&mut xml, "ChangedUpdates", "UpdateInfo", tail.changed);
        tail.truncated.write_field("Truncated", &mut xml);
        if let Some(cookie) = tail.new_cookie {
            xml.element("NewCookie", |xml| cookie.put(xml));
        }
        list(&mut xml, "DeployedOutOfScopeRevisionIds", "int", tail.deployed_out_of_scope);
        if let Some(not_needed) = tail.driver_sync_not_needed {
            not_needed.write_field("DriverSyncNotNeeded", &mut xml);
        }
        let name = self.operation.name();
        out.extend(["</", name, "Result></", name, "Response>"]);
        close_envelope(out, Style::Client);
    }
}

pub(super) fn list<T: Content>(xml: &mut Xml<'_>, name: &str, item: &str, entries: &[T]) {
    if !entries.is_empty() {
        xml.open(name);
        for entry in entries {
            xml.element(item, |xml| entry.put(xml));
        }
        xml.close(name);
    }
}
