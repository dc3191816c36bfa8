//! What rules of collections are told of a computer.

use std::net::IpAddr;

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    compliance::Listed,
    expression::{Facts, Field as _, Reference, Version, Words, computers::Field},
    ids::CollectionId,
    membership::system_name,
    status::{ComputerStatus, Entry, State, UpdateNumber},
};
use weir_store::{computer::Registration, membership::MembershipRow};

use super::view::StatusView;

/// Values of `dwProductType` as computers register it (`OldProductType`, MS-WUSP 2.2.2.2.3).
const WORKSTATION: u8 = 1;
const DOMAIN_CONTROLLER: u8 = 2;
const SERVER: u8 = 3;

/// The site that this server is.
#[derive(Clone, Debug, Default)]
pub(crate) struct SiteNames {
    /// Its id in the tree of sites, and the server's own.
    pub(crate) ids: Vec<Uuid>,
    /// What it is called in the tree.
    pub(crate) name: String,
}

/// What a computer reported.
pub(crate) enum Told<'a> {
    /// All of it.
    Status(ComputerStatus),
    /// What the index of compliance knows, of the updates of the view that it is read with.
    Listed(Listed<'a>),
}

/// What is known of one computer, and how it is read.
pub(crate) struct Known<'a> {
    pub(crate) row: &'a MembershipRow,
    /// None if no rule asks for it.
    pub(crate) told: Option<Told<'a>>,
    pub(crate) view: &'a StatusView,
    pub(crate) site: &'a SiteNames,
    /// Names of collections, for explanations.
    pub(crate) names: Option<&'a dyn Fn(CollectionId) -> String>,
}

/// A computer while its collections are found out: `inside` knows those that come before.
pub(crate) struct Seen<'a> {
    pub(crate) known: &'a Known<'a>,
    pub(crate) inside: &'a dyn Fn(CollectionId) -> bool,
    /// Collections whose members rules decide; of the others only what was assigned counts, not what is above it.
    pub(crate) decided: &'a dyn Fn(CollectionId) -> bool,
}

impl<'a> Known<'a> {
    pub(crate) fn new(row: &'a MembershipRow, with_status: bool, view: &'a StatusView, site: &'a SiteNames) -> Self {
        let told = with_status.then(|| Told::Status(crate::admin::tally::decode(&row.status.status)));
        Self { row, told, view, site, names: None }
    }

    fn registration(&self) -> Option<&Registration> {
        self.row.computer.registration.as_ref()
    }

    fn has_reported(&self) -> bool {
        match &self.told {
            None => false,
            Some(Told::Status(status)) => status.reported.is_some(),
            Some(Told::Listed(listed)) => listed.reported,
        }
    }

    /// Listed updates that computers are still asked about, with their states. Installed ones are not among them if only their number
    /// is known.
    fn states(&self) -> impl Iterator<Item = (UpdateNumber, State)> {
        let (entries, others): (&[Entry], &[(UpdateNumber, State)]) = match &self.told {
            Some(Told::Status(status)) if self.has_reported() => (status.entries(), &[]),
            Some(Told::Listed(listed)) if self.has_reported() => (&[], listed.others),
            _ => (&[], &[]),
        };
        let states = entries.iter().map(|entry| (entry.update, entry.state)).chain(others.iter().copied());
        states.filter(|(update, _)| self.view.asks(*update))
    }

    fn count(&self, counts: impl Fn(State) -> bool) -> Option<u64> {
        let installed = match &self.told {
            Some(Told::Listed(listed)) if counts(State::Installed) => listed.installed,
            _ => 0,
        };
        self.has_reported().then(|| installed + self.states().filter(|(_, state)| counts(*state)).count() as u64)
    }

    fn product_type(&self) -> Option<u8> {
        self.registration().map(|known| known.old_product_type)
    }
}

fn part(number: impl Into<i64>) -> Option<u32> {
    u32::try_from(number.into()).ok()
}

/// Hands texts to `each` in lower case, empty ones left out.
fn texts<'t>(texts: impl IntoIterator<Item = &'t str>, each: &mut dyn FnMut(&str) -> bool) -> bool {
    texts.into_iter().map(str::trim).filter(|text| !text.is_empty()).any(|text| each(&text.to_lowercase()))
}

impl Facts<Field> for Seen<'_> {
    fn flag(&self, field: Field) -> bool {
        let known = self.known;
        match field {
            Field::NeverReported => known.row.computer.last_report_at.is_none(),
            Field::PlainHttp => known.row.computer.plain_http,
            Field::RestartPending => known.states().any(|(_, state)| state == State::PendingRestart),
            Field::Server => matches!(known.product_type(), Some(DOMAIN_CONTROLLER | SERVER)),
            Field::Workstation => known.product_type() == Some(WORKSTATION),
            _ => false,
        }
    }

    fn number(&self, field: Field) -> Option<u64> {
        let known = self.known;
        match field {
            Field::Build => known.registration().and_then(|known| u64::try_from(known.os_build_number).ok()),
            Field::Failed => known.count(|state| state == State::Failed),
            Field::Installed => known.count(|state| state == State::Installed),
            Field::Needed => known.count(State::is_needed),
            Field::ServicePack => {
                known.registration().and_then(|known| u64::try_from(known.os_service_pack_major_number).ok())
            }
            _ => None,
        }
    }

    fn instant(&self, field: Field) -> Option<Timestamp> {
        let computer = &self.known.row.computer;
        match field {
            Field::FirstSeen => Some(computer.first_contact_at),
            Field::LastContact => Some(computer.last_contact_at),
            Field::LastReport => computer.last_report_at,
            Field::LastScan => computer.last_sync_at,
            _ => None,
        }
    }

    fn any_text(&self, field: Field, each: &mut dyn FnMut(&str) -> bool) -> bool {
        let known = self.known;
        let computer = &known.row.computer;
        let registered = known.registration();
        let one = |text: Option<&str>, each: &mut dyn FnMut(&str) -> bool| texts(text, each);
        match field {
            Field::BiosVersion => one(registered.and_then(|known| known.bios_version.as_deref()), each),
            Field::Collection => self.collections(each),
            Field::Domain => one(computer.dns_name.split_once('.').map(|(_, domain)| domain), each),
            Field::Locale => one(registered.and_then(|known| known.os_locale.as_deref()), each),
            Field::Manufacturer => one(registered.and_then(|known| known.computer_manufacturer.as_deref()), each),
            Field::Model => one(registered.and_then(|known| known.computer_model.as_deref()), each),
            Field::Name => {
                let host = computer.dns_name.split_once('.').map(|(host, _)| host);
                texts([Some(computer.dns_name.as_str()), host].into_iter().flatten(), each)
            }
            Field::Needs => known
                .states()
                .filter(|(_, state)| state.is_needed())
                .any(|(update, _)| known.view.names(update, &mut *each)),
            Field::Os => {
                let Some(known) = registered else { return false };
                let own = known.os_description.as_deref();
                let called = system_name(
                    known.os_major_version,
                    known.os_minor_version,
                    known.os_build_number,
                    known.old_product_type,
                );
                texts([own, called.as_deref()].into_iter().flatten(), each)
            }
            Field::RequestedGroup => texts(computer.requested_groups.as_deref().unwrap_or_default().split(';'), each),
            Field::ScanError => match (computer.last_sync_succeeded, computer.last_sync_error) {
                (Some(false), Some(error)) => each(&format!("0x{error:08x}")),
                _ => false,
            },
            Field::Site => {
                let ids = known.site.ids.iter().any(|id| each(&id.as_hyphenated().to_string()));
                ids || one(Some(&known.site.name), each)
            }
            Field::Zone => one(known.row.time_zone.as_deref(), each),
            _ => false,
        }
    }

    fn words(&self, field: Field) -> Words {
        let kind = field.spec().kind;
        let word = match field {
            Field::Architecture => self
                .known
                .registration()
                .and_then(|known| known.processor_architecture.as_deref())
                .map(|text| text.trim().to_lowercase()),
            Field::Role => match self.known.product_type() {
                Some(WORKSTATION) => Some("workstation".to_owned()),
                Some(DOMAIN_CONTROLLER) => Some("domain_controller".to_owned()),
                Some(SERVER) => Some("server".to_owned()),
                _ => None,
            },
            _ => None,
        };
        word.map(|word| Words::of(kind, &word)).unwrap_or_default()
    }

    fn version(&self, field: Field) -> Option<Version> {
        let known = self.known.registration()?;
        match field {
            Field::ClientVersion => Some(Version([
                part(known.client_version_major_number)?,
                part(known.client_version_minor_number)?,
                part(known.client_version_build_number)?,
                part(known.client_version_qfe_number)?,
            ])),
            Field::OsVersion => Some(Version([
                part(known.os_major_version)?,
                part(known.os_minor_version)?,
                part(known.os_build_number)?,
                0,
            ])),
            _ => None,
        }
    }

    fn any_address(&self, field: Field, each: &mut dyn FnMut(IpAddr) -> bool) -> bool {
        let address = match field {
            Field::Ip => self.known.row.computer.ip_address.as_deref(),
            _ => None,
        };
        address.and_then(|address| address.parse().ok()).is_some_and(each)
    }

    fn is(&self, field: Field, thing: &Reference) -> bool {
        match (field, thing) {
            (Field::Collection, Reference::Id(id)) => self.is_in(CollectionId(*id)),
            (Field::Site, Reference::Id(id)) => self.known.site.ids.contains(id),
            (_, Reference::Id(id)) => {
                let id = id.as_hyphenated().to_string();
                self.any_text(field, &mut |text| text == id)
            }
            (_, Reference::Name(name)) => self.any_text(field, &mut |text| text == name.folded()),
        }
    }
}

impl Seen<'_> {
    fn is_in(&self, id: CollectionId) -> bool {
        if id == CollectionId::ALL_COMPUTERS || id == CollectionId::UNASSIGNED_COMPUTERS || (self.decided)(id) {
            (self.inside)(id)
        } else {
            self.known.row.assigned.groups.contains(&id)
        }
    }

    /// Where it is, for explanations: rules themselves ask for single collections.
    fn collections(&self, each: &mut dyn FnMut(&str) -> bool) -> bool {
        let row = self.known.row;
        let ids = row.assigned.groups.iter().chain(row.decided.iter().map(|(id, _)| id));
        let mut seen = Vec::new();
        for id in ids {
            if seen.contains(id) {
                continue;
            }
            seen.push(*id);
            let text = self.known.names.map_or_else(|| id.to_string(), |name| name(*id).to_lowercase());
            if each(&text) {
                return true;
            }
        }
        false
    }
}
