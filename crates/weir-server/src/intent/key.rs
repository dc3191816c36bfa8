//! Ids of objects: as they travel, and as the database keys them.

use uuid::Uuid;
use weir_model::ids::{CollectionId, UpdateId};
use weir_store::{deployment::Deployed, intent::IntentKind, selection::SelectionKind};

use super::Kind;

/// The kind as the database numbers it.
pub(super) fn stored(kind: Kind) -> IntentKind {
    match kind {
        Kind::ClientSettings => IntentKind::ClientSettings,
        Kind::Collection => IntentKind::Collection,
        Kind::Criterion => IntentKind::Criterion,
        Kind::Decline => IntentKind::Decline,
        Kind::Deployment => IntentKind::Deployment,
        Kind::DeploymentTemplate => IntentKind::DeploymentTemplate,
        Kind::EulaAcceptance => IntentKind::EulaAcceptance,
        Kind::MaintenanceWindow => IntentKind::MaintenanceWindow,
        Kind::Phased => IntentKind::Phased,
        Kind::Rule => IntentKind::Rule,
        Kind::SavedSearch => IntentKind::SavedSearch,
        Kind::Selection => IntentKind::Selection,
        Kind::Setting => IntentKind::Setting,
        Kind::UpdateGroup => IntentKind::UpdateGroup,
        Kind::UpdateStop => IntentKind::UpdateStop,
        Kind::UpdateSetting => IntentKind::UpdateSetting,
    }
}

/// And back.
pub(super) fn kind(stored: IntentKind) -> Kind {
    match stored {
        IntentKind::ClientSettings => Kind::ClientSettings,
        IntentKind::Collection => Kind::Collection,
        IntentKind::Criterion => Kind::Criterion,
        IntentKind::Decline => Kind::Decline,
        IntentKind::Deployment => Kind::Deployment,
        IntentKind::DeploymentTemplate => Kind::DeploymentTemplate,
        IntentKind::EulaAcceptance => Kind::EulaAcceptance,
        IntentKind::MaintenanceWindow => Kind::MaintenanceWindow,
        IntentKind::Phased => Kind::Phased,
        IntentKind::Rule => Kind::Rule,
        IntentKind::SavedSearch => Kind::SavedSearch,
        IntentKind::Selection => Kind::Selection,
        IntentKind::Setting => Kind::Setting,
        IntentKind::UpdateGroup => Kind::UpdateGroup,
        IntentKind::UpdateStop => Kind::UpdateStop,
        IntentKind::UpdateSetting => Kind::UpdateSetting,
    }
}

/// What an object is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Key {
    Deployment(Deployed, CollectionId),
    Guid(Uuid),
    Selection(SelectionKind),
    Text(String),
}

const SELECTIONS: [(SelectionKind, &str, &str); 3] = [
    (SelectionKind::Classifications, "classifications", "0"),
    (SelectionKind::Languages, "languages", "1"),
    (SelectionKind::Products, "products", "2"),
];

impl Key {
    /// Reads the id of a travelling object.
    pub(super) fn read(kind: Kind, id: &str) -> Option<Self> {
        match kind {
            Kind::Setting => Some(Self::Text(id.to_owned())),
            Kind::Selection => {
                let known = SELECTIONS.iter().find(|(_, name, _)| *name == id);
                known.map(|(kind, _, _)| Self::Selection(*kind))
            }
            Kind::Deployment => {
                let (what, collection) = id.split_once('/')?;
                let deployed = match what.split_once(':')? {
                    ("update", id) => Deployed::Update { id: UpdateId(guid(id)?), revision: None },
                    ("group", id) => Deployed::Group(guid(id)?),
                    _ => return None,
                };
                Some(Self::Deployment(deployed, CollectionId(guid(collection)?)))
            }
            _ => guid(id).map(Self::Guid),
        }
    }

    /// Reads the key of the database.
    pub(super) fn from_stored(kind: Kind, key: &str) -> Option<Self> {
        match kind {
            Kind::Setting => Some(Self::Text(key.to_owned())),
            Kind::Selection => {
                let known = SELECTIONS.iter().find(|(_, _, number)| *number == key);
                known.map(|(kind, _, _)| Self::Selection(*kind))
            }
            Kind::Deployment => {
                let (what, rest) = key.split_at_checked(1)?;
                let (id, collection) = rest.split_at_checked(32)?;
                let id = Uuid::try_parse(id).ok()?;
                let deployed = match what {
                    "u" => Deployed::Update { id: UpdateId(id), revision: None },
                    "g" => Deployed::Group(id),
                    _ => return None,
                };
                Some(Self::Deployment(deployed, CollectionId(Uuid::try_parse(collection).ok()?)))
            }
            _ => Uuid::try_parse(key).ok().map(Self::Guid),
        }
    }

    /// As it travels.
    pub(super) fn travelling(&self) -> String {
        match self {
            Self::Deployment(Deployed::Group(group), collection) => format!("group:{group}/{}", collection.0),
            Self::Deployment(Deployed::Update { id, .. }, collection) => format!("update:{}/{}", id.0, collection.0),
            Self::Guid(id) => id.to_string(),
            Self::Selection(kind) => selection(*kind).to_owned(),
            Self::Text(text) => text.clone(),
        }
    }

    /// As the database keys it.
    pub(super) fn stored(&self) -> String {
        match self {
            Self::Deployment(deployed, collection) => {
                let (what, id) = match deployed {
                    Deployed::Group(group) => ('g', *group),
                    Deployed::Update { id, .. } => ('u', id.0),
                };
                format!("{what}{}{}", id.as_simple(), collection.0.as_simple())
            }
            Self::Guid(id) => id.as_simple().to_string(),
            Self::Selection(kind) => {
                let known = SELECTIONS.iter().find(|(known, _, _)| known == kind);
                known.map(|(_, _, number)| (*number).to_owned()).unwrap_or_default()
            }
            Self::Text(text) => text.clone(),
        }
    }
}

/// The name of a selection.
fn selection(kind: SelectionKind) -> &'static str {
    SELECTIONS.iter().find(|(known, _, _)| *known == kind).map_or("", |(_, name, _)| name)
}

/// A GUID in its one form, lower case with hyphens: another spelling would be another id.
fn guid(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    (id.to_string() == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_in_both_forms() {
        let (one, two) = (Uuid::from_u128(0xABCD), Uuid::from_u128(7));
        let keys = [
            (Kind::Setting, Key::Text("targeting".to_owned())),
            (Kind::Selection, Key::Selection(SelectionKind::Products)),
            (Kind::Decline, Key::Guid(one)),
            (Kind::Deployment, Key::Deployment(Deployed::Group(one), CollectionId(two))),
            (
                Kind::Deployment,
                Key::Deployment(Deployed::Update { id: UpdateId(one), revision: None }, CollectionId(two)),
            ),
        ];
        for (kind, key) in keys {
            assert_eq!(Key::read(kind, &key.travelling()), Some(key.clone()));
            assert_eq!(Key::from_stored(kind, &key.stored()), Some(key));
        }
        for (kind, id) in [
            (Kind::Decline, "ABCD"),
            (Kind::Decline, "0000000000000000000000000000ABCD"),
            (Kind::Selection, "drivers"),
            (Kind::Deployment, "update:x/y"),
            (Kind::Deployment, ""),
        ] {
            assert_eq!(Key::read(kind, id), None, "{id}");
        }
    }

    #[test]
    fn every_kind_is_numbered() {
        for one in Kind::ALL {
            assert_eq!(kind(stored(one)), one);
        }
    }
}
