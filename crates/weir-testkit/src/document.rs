//! Update documents made up for tests, in the namespaces, order and forms of genuine ones.

mod write;

use weir_model::{
    document::RebootBehavior,
    ids::{UpdateId, UpdateIdentity},
    update::{CategoryKind, DriverMetadata, UpdateType},
};

use crate::Payload;

/// What the namespaces begin with.
const BASE: &str = "http://schemas.microsoft.com/msus/2002/12/";

/// Builds one update document. Methods return the changed builder; [`Document::to_xml`] writes it.
#[derive(Clone, Debug)]
pub struct Document {
    identity: UpdateIdentity,
    update_type: UpdateType,
    category: Option<CategoryKind>,
    properties: Vec<(String, String)>,
    children: String,
    localized: Vec<(String, String, Option<String>)>,
    superseded: Vec<UpdateId>,
    prerequisites: Vec<(Vec<UpdateId>, bool, bool)>,
    bundled: Vec<Vec<UpdateIdentity>>,
    installed_rule: Option<String>,
    installable_rule: Option<String>,
    drivers: Vec<DriverMetadata>,
    files: Vec<Payload>,
    eulas: Vec<(String, Option<String>, Payload)>,
    core_size: usize,
    reboot: Option<RebootBehavior>,
}

impl Document {
    fn new(id: UpdateId, revision: u32, update_type: UpdateType) -> Self {
        Self {
            identity: UpdateIdentity::new(id, revision),
            update_type,
            category: None,
            properties: vec![
                ("PublicationState".into(), "Published".into()),
                ("CreationDate".into(), "2026-10-01T00:05:11.471Z".into()),
                ("PublisherID".into(), "395392a0-19c0-48b7-a927-f7c15066d905".into()),
            ],
            children: String::new(),
            localized: Vec::new(),
            superseded: Vec::new(),
            prerequisites: Vec::new(),
            bundled: Vec::new(),
            installed_rule: None,
            installable_rule: None,
            drivers: Vec::new(),
            files: Vec::new(),
            eulas: Vec::new(),
            core_size: 0,
            reboot: None,
        }
    }

    /// A software update that administrators see and deploy.
    pub fn software(id: UpdateId, revision: u32) -> Self {
        Self::new(id, revision, UpdateType::Software)
            .property("AutoSelectOnWebSites", "true")
            .property("ExplicitlyDeployable", "true")
    }

    /// A software update that only bundles carry: administrators do not see it.
    pub fn member(id: UpdateId, revision: u32) -> Self {
        Self::new(id, revision, UpdateType::Software)
    }

    /// A driver that administrators see and deploy. It needs [`Document::driver_metadata`].
    pub fn driver(id: UpdateId, revision: u32) -> Self {
        Self::new(id, revision, UpdateType::Driver)
            .property("AutoSelectOnWebSites", "true")
            .property("ExplicitlyDeployable", "true")
            .property("Handler", &format!("{BASE}UpdateHandlers/WindowsDriver"))
    }

    /// A node of the product tree or a classification.
    pub fn category(id: UpdateId, revision: u32, kind: CategoryKind) -> Self {
        let mut document = Self::new(id, revision, UpdateType::Category)
            .property("IsPublic", "true")
            .property("Handler", &format!("{BASE}UpdateHandlers/Category"));
        document.category = Some(kind);
        document
    }

    /// A detectoid.
    pub fn detectoid(id: UpdateId, revision: u32) -> Self {
        Self::new(id, revision, UpdateType::Detectoid)
            .property("ExplicitlyDeployable", "false")
            .property("IsPublic", "false")
            .property("DetectoidType", "SKU or Feature")
    }

    /// Its title (and the language `en`), if no other was given.
    pub fn title(self, title: &str) -> Self {
        self.localized("en", title, None)
    }

    /// Title and description in one language. The first call decides the order in the document.
    pub fn localized(mut self, language: &str, title: &str, description: Option<&str>) -> Self {
        self.localized.retain(|(known, ..)| known != language);
        self.localized.push((language.to_owned(), title.to_owned(), description.map(str::to_owned)));
        self
    }

    /// Sets an attribute of `Properties`, replacing one of the same name.
    pub fn property(mut self, name: &str, value: &str) -> Self {
        match self.properties.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => value.clone_into(known),
            None => self.properties.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    /// Appends a child of `Properties` that is plain text, such as `KBArticleID`.
    pub fn property_child(mut self, name: &str, text: &str) -> Self {
        self.children.extend(["<upd:", name, ">", &write::escape(text), "</upd:", name, ">"]);
        self
    }

    /// Marks it as expired by its publisher.
    pub fn expired(self) -> Self {
        self.property("PublicationState", "Expired")
    }

    /// Requires this update (a bare prerequisite).
    pub fn requires(mut self, id: UpdateId) -> Self {
        self.prerequisites.push((vec![id], false, true));
        self
    }

    /// Requires at least one of these updates.
    pub fn requires_any(mut self, ids: impl IntoIterator<Item = UpdateId>) -> Self {
        self.prerequisites.push((ids.into_iter().collect(), false, false));
        self
    }

    /// Belongs to a category: a product or classification, or the parent of a category.
    pub fn in_category(mut self, id: UpdateId) -> Self {
        self.prerequisites.push((vec![id], true, false));
        self
    }

    /// Replaces this update.
    pub fn supersedes(mut self, id: UpdateId) -> Self {
        self.superseded.push(id);
        self
    }

    /// Bundles at least one of these revisions (a clause).
    pub fn bundles(mut self, members: impl IntoIterator<Item = UpdateIdentity>) -> Self {
        self.bundled.push(members.into_iter().collect());
        self
    }

    /// Carries this file, installed by running it.
    pub fn file(mut self, payload: &Payload) -> Self {
        self.files.push(payload.clone());
        self
    }

    /// Whether installing it asks for a restart. Unstated if this is not called.
    pub fn restarts(mut self, behaviour: RebootBehavior) -> Self {
        self.reboot = Some(behaviour);
        self
    }

    /// Has a licence that must be accepted, with its text as a content file.
    pub fn eula(mut self, eula_id: uuid::Uuid, language: &str, geo: Option<&str>, payload: &Payload) -> Self {
        self.eulas.push((language.to_owned(), geo.map(str::to_owned), payload.clone()));
        self.property("EulaID", &eula_id.to_string())
    }

    /// Serves this hardware id (repeatable).
    pub fn driver_metadata(mut self, metadata: DriverMetadata) -> Self {
        self.drivers.push(metadata);
        self
    }

    /// The expression in `IsInstalled`, with the prefixes `lar`, `bar` and `mar` bound. Default `lar:True` for
    /// categories and detectoids, a registry test for software.
    pub fn installed_if(mut self, expression: &str) -> Self {
        self.installed_rule = Some(expression.to_owned());
        self
    }

    /// The expression in `IsInstallable`, likewise.
    pub fn installable_if(mut self, expression: &str) -> Self {
        self.installable_rule = Some(expression.to_owned());
        self
    }

    /// Grows the applicability rules by product codes, as genuine large documents do, until the document's rules have
    /// about this many bytes.
    pub fn rules_of_size(mut self, bytes: usize) -> Self {
        self.core_size = bytes;
        self
    }

    /// Which revision this is.
    pub fn identity(&self) -> UpdateIdentity {
        self.identity
    }

    /// Which update this is.
    pub fn id(&self) -> UpdateId {
        self.identity.update_id
    }

    /// Its content and licence files.
    pub fn payloads(&self) -> impl Iterator<Item = &Payload> {
        self.files.iter().chain(self.eulas.iter().map(|(_, _, payload)| payload))
    }
}

#[cfg(test)]
mod tests;
