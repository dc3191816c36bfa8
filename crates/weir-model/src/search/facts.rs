//! What expressions ask of an update of the index.

use jiff::Timestamp;

use super::{Counts, Index, State, base::Prepared, index::Set};
use crate::{
    expression::{Facts, Reference, Words, updates, updates::Field},
    ids::UpdateId,
    update::UpdateType,
};

/// An update of the index with what computers say of it.
#[derive(Clone, Copy, Debug)]
pub struct Known<'i> {
    pub(super) index: &'i Index,
    pub(super) slot: u32,
    pub(super) prepared: &'i Prepared,
    pub(super) state: &'i State,
    pub(super) set: &'i Set,
    pub(super) counts: Option<Counts>,
}

impl Facts<Field> for Known<'_> {
    fn flag(&self, field: Field) -> bool {
        let entry = &self.prepared.entry;
        match field {
            Field::Declined => self.state.flags.declined,
            Field::Deployable => entry.explicitly_deployable,
            Field::Deployed => self.state.deployed,
            Field::DetectionOnly => {
                matches!(entry.update_type, UpdateType::Software | UpdateType::Driver)
                    && self.index.size(self.slot).is_none()
            }
            Field::Expired => entry.expired,
            Field::IsBundle => entry.is_bundle,
            Field::Superseded => self.state.superseded,
            Field::Unresolved => self.state.unresolved,
            _ => false,
        }
    }

    fn number(&self, field: Field) -> Option<u64> {
        match field {
            Field::Compliant => self.counts.and_then(|counts| counts.percent()),
            Field::Failed => self.counts.map(|counts| counts.failed),
            Field::Installed => self.counts.map(|counts| counts.installed),
            Field::Needed => self.counts.map(|counts| counts.needed),
            Field::NotApplicable => self.counts.map(|counts| counts.not_applicable),
            Field::Unknown => self.counts.map(|counts| counts.unknown),
            Field::Revision => Some(u64::from(self.prepared.entry.identity.revision.0)),
            Field::RunTime => Some(u64::from(self.state.flags.run_time_minutes)),
            Field::Size => Some(self.index.size(self.slot).unwrap_or_default()),
            _ => None,
        }
    }

    fn instant(&self, field: Field) -> Option<Timestamp> {
        let entry = &self.prepared.entry;
        match field {
            Field::Arrived => self.index.first_arrival(self.slot),
            Field::Released => entry.created_at,
            Field::Revised => Some(entry.arrived_at),
            _ => None,
        }
    }

    fn any_text(&self, field: Field, each: &mut dyn FnMut(&str) -> bool) -> bool {
        let entry = &self.prepared.entry;
        match field {
            Field::Bulletin => entry.bulletins.iter().any(|bulletin| each(&bulletin.to_lowercase())),
            Field::Classification => self.set.classification_texts.iter().any(|text| each(text)),
            Field::Cve => self.prepared.cves.iter().any(|cve| each(cve)),
            Field::Description => self.prepared.description.as_deref().is_some_and(each),
            Field::Group => {
                let mut groups = self.index.groups(self.slot);
                groups.any(|group| each(&group.id.to_string()) || each(&group.name.to_lowercase()))
            }
            Field::Id => each(&entry.identity.update_id.to_string()),
            Field::Kb => entry.kb_articles.iter().any(|article| each(article)),
            Field::Language => entry.languages.iter().any(|language| each(language)),
            Field::Product => self.set.product_texts.iter().any(|text| each(text)),
            Field::Supersedes => entry.supersedes.iter().any(|update| each(&update.to_string())),
            Field::Tag => self.index.files(self.slot).is_some_and(|files| files.uup) && each("uup"),
            Field::Title => each(&self.prepared.title),
            Field::Vendor => self.set.vendor_texts.iter().any(|text| each(text)),
            _ => false,
        }
    }

    fn words(&self, field: Field) -> Words {
        let entry = &self.prepared.entry;
        match field {
            Field::Architecture => entry.architectures,
            Field::CustomSeverity => updates::severity(self.state.flags.custom_severity),
            Field::Eula => Words::at(match (entry.has_eula, self.state.flags.eula_accepted) {
                (false, _) => 0,
                (true, false) => 1,
                (true, true) => 2,
            }),
            Field::Severity => updates::severity(entry.severity),
            Field::Type => updates::update_type(entry.update_type),
            _ => Words::default(),
        }
    }

    fn is(&self, field: Field, thing: &Reference) -> bool {
        let entry = &self.prepared.entry;
        match (field, thing) {
            (Field::Classification, Reference::Id(id)) => self.set.classification_ids.contains(&UpdateId(*id)),
            (Field::Group, Reference::Id(id)) => self.index.groups(self.slot).any(|group| group.id == *id),
            (Field::Id, Reference::Id(id)) => entry.identity.update_id.0 == *id,
            (Field::Product, Reference::Id(id)) => self.set.product_ids.contains(&UpdateId(*id)),
            (Field::Supersedes, Reference::Id(id)) => entry.supersedes.contains(&UpdateId(*id)),
            (Field::Vendor, Reference::Id(id)) => self.set.vendor_ids.contains(&UpdateId(*id)),
            (field, Reference::Id(id)) => {
                let id = id.to_string();
                self.any_text(field, &mut |text| text == id)
            }
            (field, Reference::Name(name)) => self.any_text(field, &mut |text| text == name.folded()),
        }
    }
}
