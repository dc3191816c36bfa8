//! How an update is put together.

use std::collections::BTreeSet;

use jiff::civil::Date;
use uuid::Uuid;
use weir_model::{
    document::RebootBehavior,
    ids::{UpdateId, UpdateIdentity},
};
use weir_testkit::{Document, Payload, Random};

use super::{Kind, Shape, Update, World, calendar, calendar::Month, texts::Texts};

/// Months of history before the newest one.
pub(super) const HISTORY: i32 = 24;

/// The revision number that documents have, as genuine ones begin.
const REVISION: u32 = 200;

/// The licence of everything that has one.
const LICENCE: Uuid = Uuid::from_u128(0x6a0f_2c51_7c1e_4d0b_9b35_3f2d_7e41_aa10);

/// An update, or a member of a bundle, on its way into a document.
#[derive(Clone, Debug)]
pub(super) struct Release {
    /// Tells it from all others; its id comes from this.
    pub(super) key: String,
    /// What it is.
    pub(super) kind: Kind,
    /// When it came.
    pub(super) day: Date,
    /// Minutes after the hour of releases.
    pub(super) minutes: i64,
    /// Titles and descriptions.
    pub(super) texts: Texts,
    /// Classification and products.
    pub(super) categories: Vec<UpdateId>,
    /// Detectoids: all of them.
    pub(super) needs: Vec<UpdateId>,
    /// What it replaces.
    pub(super) supersedes: Option<UpdateId>,
    /// What it replaces, too.
    pub(super) also: Option<UpdateId>,
    /// `MsrcSeverity`.
    pub(super) severity: Option<&'static str>,
    /// Whether it asks for a restart.
    pub(super) reboot: RebootBehavior,
    /// It comes with a licence.
    pub(super) licence: bool,
    /// Its publisher withdrew it.
    pub(super) expired: bool,
    /// Its parts: one clause each, of which a computer takes one.
    pub(super) parts: Vec<Vec<Part>>,
}

impl Release {
    fn replaced(&self) -> impl Iterator<Item = UpdateId> {
        self.supersedes.into_iter().chain(self.also)
    }
}

impl Default for Release {
    fn default() -> Self {
        Self {
            key: String::new(),
            kind: Kind::Application,
            day: Date::ZERO,
            minutes: 0,
            texts: Texts::default(),
            categories: Vec::new(),
            needs: Vec::new(),
            supersedes: None,
            also: None,
            severity: None,
            reboot: RebootBehavior::CanRequestReboot,
            licence: false,
            expired: false,
            parts: Vec::new(),
        }
    }
}

/// What is installed.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Tells it from other parts of the release.
    pub(super) name: String,
    /// Its file.
    pub(super) file: String,
    /// Bytes of its file.
    pub(super) size: usize,
    /// `IsInstalled`.
    pub(super) installed: String,
    /// `IsInstallable`.
    pub(super) installable: String,
}

/// Collects documents.
#[derive(Debug)]
pub(super) struct Maker {
    /// What to make.
    pub(super) shape: Shape,
    /// The newest month.
    pub(super) month: Month,
    /// The updates so far.
    pub(super) updates: Vec<Update>,
    documents: Vec<Document>,
    ids: BTreeSet<UpdateId>,
    licence: Payload,
}

impl Maker {
    pub(super) fn new(shape: Shape) -> Self {
        let text = "Licence of the lab.\r\n\r\nThis software does nothing and may be used by everybody for anything. \
                    There is no warranty, since there is nothing that could work.\r\n";
        Self {
            shape,
            month: Month::released_by(shape.until),
            updates: Vec::new(),
            documents: Vec::new(),
            ids: BTreeSet::new(),
            licence: Payload::new("licence.txt", text),
        }
    }

    /// A number that belongs to a name.
    pub(super) fn number(&self, key: &str) -> u64 {
        // FNV-1a
        let hash = key
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Random::new(self.shape.seed ^ hash).bits()
    }

    /// The id that belongs to a name.
    pub(super) fn id(&self, key: &str) -> UpdateId {
        UpdateId(Random::new(self.number(key)).guid())
    }

    /// The article of a release that came in this month: the same for all systems that share the key.
    pub(super) fn article(&self, month: Month, key: &str) -> u32 {
        let months = u32::try_from(month.since(Month::new(2024, 1))).unwrap_or(0);
        5_034_000 + months * 1_000 + (self.number(key) % 1_000) as u32
    }

    /// Takes a category, a detectoid or a driver.
    pub(super) fn add(&mut self, document: Document) -> UpdateId {
        let id = document.id();
        self.ids.insert(id);
        self.documents.push(document);
        id
    }

    /// Whether there is a category or detectoid of this id.
    pub(super) fn has(&self, id: UpdateId) -> bool {
        self.ids.contains(&id)
    }

    /// The months of history, the oldest first, of something that began so many months before the newest.
    pub(super) fn months(&self, began: i32) -> impl Iterator<Item = Month> + use<> {
        let newest = self.month;
        (0..=began.min(HISTORY)).rev().map(move |back| newest.back(back))
    }

    /// Takes an update with its members. One part is no bundle unless `bundle` says so. Nothing if it comes after the last day.
    pub(super) fn release(&mut self, release: Release, bundle: bool) -> Option<UpdateId> {
        if release.day > self.shape.until {
            return None;
        }
        let id = self.id(&release.key);
        let created = calendar::instant(release.day, release.minutes).to_string();
        let is_bundle = bundle || release.parts.len() > 1;
        let mut document = Document::software(id, REVISION);
        for (language, title, description) in &release.texts.localized {
            document = document.localized(language, title, Some(description));
        }
        document = document.property("CreationDate", &created);
        document = Self::described(document, &release);
        document = release.categories.iter().fold(document, |document, id| document.in_category(*id));
        document = release.needs.iter().fold(document, |document, id| document.requires(*id));
        document = release.replaced().fold(document, |document, id| document.supersedes(id));
        if release.expired {
            document = document.expired();
        }
        for clause in &release.parts {
            if is_bundle {
                let members: Vec<UpdateIdentity> =
                    clause.iter().map(|part| self.member(&release, part, &created)).collect();
                document = document.bundles(members);
            } else if let Some(part) = clause.first() {
                document = self.with_part(document, &release, part);
            }
        }
        if !is_bundle && release.licence {
            document = document.eula(LICENCE, "en", None, &self.licence);
        }
        self.documents.push(document);
        self.note(&release, id);
        Some(id)
    }

    /// Takes an update whose document is ready.
    pub(super) fn note(&mut self, release: &Release, id: UpdateId) {
        // what is withdrawn replaces nothing, and a preview nothing that is to be deployed
        if !release.expired && release.kind != Kind::Preview {
            for old in release.replaced() {
                // the ones it replaces came just before
                if let Some(update) = self.updates.iter_mut().rev().find(|update| update.id == old) {
                    update.superseded = true;
                }
            }
        }
        self.updates.push(Update {
            id,
            title: release.texts.title().to_owned(),
            kind: release.kind,
            released: release.day,
            superseded: false,
            expired: release.expired,
            has_licence: release.licence,
        });
    }

    fn member(&mut self, release: &Release, part: &Part, created: &str) -> UpdateIdentity {
        let id = self.id(&format!("{}/{}", release.key, part.name));
        let mut document = Document::member(id, REVISION)
            .title(&format!("{} ({})", release.texts.title(), part.name))
            .property("CreationDate", created);
        document = release.needs.iter().fold(document, |document, id| document.requires(*id));
        document = self.with_part(document, release, part);
        if release.licence {
            document = document.eula(LICENCE, "en", None, &self.licence);
        }
        let identity = document.identity();
        self.documents.push(document);
        identity
    }

    fn with_part(&self, document: Document, release: &Release, part: &Part) -> Document {
        // the same file is in updates for clients and for servers
        document
            .restarts(release.reboot)
            .file(&Payload::random(&part.file, part.size, self.number(&part.file)))
            .installed_if(&part.installed)
            .installable_if(&part.installable)
    }

    /// What administrators read about it.
    fn described(mut document: Document, release: &Release) -> Document {
        if let Some(severity) = release.severity {
            document = document.property("MsrcSeverity", severity);
        }
        if let Some(article) = release.texts.article {
            document = document
                .property_child("MoreInfoUrl", &format!("https://support.example.com/help/{article}"))
                .property_child("SupportUrl", "https://support.example.com/contact")
                .property_child("KBArticleID", &article.to_string());
        }
        document
    }

    pub(super) fn finish(self) -> World {
        World { updates: self.updates, month: self.month, licence: self.licence, documents: self.documents }
    }
}
