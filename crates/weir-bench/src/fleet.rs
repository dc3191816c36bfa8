//! A store with computers that registered, scanned and reported, some of which fail, and with documents about vulnerabilities that
//! some of their updates fix.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Context as _, ensure};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use weir_model::{
    deployment::Terms,
    exposure::{
        Advisory, Article, Content, Document as Advised, DocumentKind, Fix, Revision as DocumentRevision, Vulnerability,
    },
    ids::{ChangeNumber, CollectionId, DeploymentId, Sha256Digest, UpdateId, UpdateIdentity},
    status::{ComputerStatus, Context, Event, MiscData, State, Told, UpdateNumber, apply, event_id},
    targeting::{CollectionKind, DeploymentAction, DeploymentOrigin},
    update::Severity,
};
use weir_server::live::Live;
use weir_store::{
    Actor, Store, StoreError, WriteTx,
    collection::{MemberSource, NewCollection},
    computer::{Contact, ContactTimes, Registration, StatusRow},
    deployment::{Deployed, NewDeployment},
};
use weir_testkit::{Document, Random};

use crate::{engine::Home, fixture};

/// Kinds of computers: those of one kind are asked about the same updates and have most of them.
const KINDS: usize = 12;
/// Different statuses of each kind: what computers say is the same on many.
const VARIANTS: usize = 100;
/// Of so many kinds, an update applies to this many.
const APPLIES_TO: usize = 4;
/// One of so many statuses has failures.
const FAILING: usize = 20;
/// One of so many computers could not scan the last time.
const NOT_SCANNING: usize = 50;
/// One of so many updates fixes vulnerabilities.
const FIXES: usize = 4;
/// Updates that fix the same vulnerabilities, each on other products.
const TOGETHER: usize = 4;
/// Vulnerabilities that they fix.
const FIXED_BY_EACH: usize = 8;
/// Groups of updates of a document.
const GROUPS_OF_DOCUMENT: usize = 20;
/// Computers that are stored in one transaction.
const AT_ONCE: usize = 2_000;
/// Collections that each hold a share of the computers.
const RINGS: usize = 10;
/// Update groups, and the updates of each.
const UPDATE_GROUPS: usize = 10;
const OF_A_GROUP: usize = 30;
/// Computers of the small collection, about.
const SMALL: usize = 1_000;
/// The name of the small collection.
pub(crate) const SMALL_NAME: &str = "Small";
/// Builds of Windows by kind of computer.
const BUILDS: [i32; 4] = [19_045, 22_631, 26_100, 17_763];
/// What installations fail with.
const CODES: [u32; 6] = [0x8024_0022, 0x8007_0070, 0x8007_0643, 0x800f_0922, 0x8024_2016, 0x8007_2ee2];
const TIMEOUT: u32 = 0x8007_2ee2;
/// What the ids of the computers follow from. Scripted computers have those of small numbers ([`weir_testkit::Computer::numbered`]):
/// with one of these the first computer here would be one of them, and its report that of a computer which has reported.
const SEED: u64 = 0xf1ee_7000_0000_0017;

/// See above.
pub(crate) struct Fleet {
    /// The database.
    pub(crate) store: Store,
    updates: Vec<(UpdateId, UpdateNumber)>,
    numbers: HashMap<UpdateId, UpdateNumber>,
    size: usize,
    now: Timestamp,
}

fn collection(number: usize) -> CollectionId {
    CollectionId(Uuid::from_u128(0xf1ee_7000 + number as u128))
}

fn update_id(number: usize) -> UpdateId {
    UpdateId(Uuid::from_u128(0x5eed_0000_0000_4000_8000_0000_0000_0000 | number as u128))
}

fn article(number: usize) -> u32 {
    5_000_000 + number as u32
}

fn actor(now: Timestamp) -> Actor {
    Actor::system("bench", now)
}

/// An update, which replaces the one of the month before of its product, within a year.
fn document(number: usize) -> Document {
    let (product, month) = (number % KINDS, number / KINDS);
    let document = Document::software(update_id(number), 1)
        .title(&format!("Cumulative update {month} for product {product}"))
        .property_child("KBArticleID", &article(number).to_string());
    if month % 12 > 0 { document.supersedes(update_id(number - KINDS)) } else { document }
}

impl Fleet {
    /// Fills an empty home: computers report on so many updates, and there are more that nobody asks about.
    pub(crate) async fn fill(home: &Home, size: usize, updates: usize, more: usize) -> anyhow::Result<Self> {
        let store = home.open()?;
        fixture::import(&store, (0..updates + more).map(document))?;
        let now = Timestamp::from_second(Timestamp::now().as_second())?;
        let published = Live::new(store.clone()).republish().await?;
        let numbered = (0..updates).filter_map(|number| {
            let update = update_id(number);
            Some((update, published.status_number(update)?))
        });
        let known: Vec<(UpdateId, UpdateNumber)> = numbered.collect();
        ensure!(known.len() == updates, "{} of {updates} updates can be reported on", known.len());
        let fleet = Self { store, numbers: known.iter().copied().collect(), updates: known, size, now };
        fleet.store.write(&actor(now), |tx| {
            fleet.targets(tx)?;
            fleet.advisories(tx)
        })?;
        fleet.computers()?;
        home.tidy()?;
        Ok(fleet)
    }

    /// The first updates that computers report on.
    pub(crate) fn listed(&self, most: usize) -> Vec<UpdateId> {
        self.updates.iter().take(most).map(|(update, _)| *update).collect()
    }

    /// Deploys one update to everybody.
    pub(crate) fn deploy(&self) -> anyhow::Result<DeploymentId> {
        let (update, _) = self.updates.first().context("no updates")?;
        let new = NewDeployment {
            guid: Uuid::from_u128(0xde91),
            deployed: Deployed::Update { id: *update, revision: None },
            collection: collection(0),
            action: DeploymentAction::Install,
            available_at: Timestamp::UNIX_EPOCH,
            deadline_at: None,
            origin: DeploymentOrigin::Local,
            active: true,
            terms: Terms::default(),
        };
        Ok(self.store.write(&actor(self.now), |tx| tx.deployment_create(&new))?)
    }

    /// The updates that computers report on.
    pub(crate) fn update_ids(&self) -> impl Iterator<Item = UpdateId> {
        self.updates.iter().map(|(update, _)| *update)
    }

    /// Collections that each hold a share of the computers.
    pub(crate) fn rings() -> impl Iterator<Item = CollectionId> {
        (2..RINGS + 2).map(collection)
    }

    /// How many computers.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Collections and update groups.
    fn targets(&self, tx: &WriteTx<'_>) -> Result<(), StoreError> {
        for number in 0..RINGS + 2 {
            let name = match number {
                0 => "Whole".to_owned(),
                1 => SMALL_NAME.to_owned(),
                ring => format!("Ring {ring}"),
            };
            let new = NewCollection { id: collection(number), name, parent: None, kind: CollectionKind::TargetGroup };
            tx.collection_create(&new)?;
        }
        for (number, some) in (0_u128..).zip(self.updates.chunks(OF_A_GROUP).take(UPDATE_GROUPS)) {
            let members: Vec<UpdateId> = some.iter().map(|(update, _)| *update).collect();
            tx.update_group_put(Uuid::from_u128(0x9000 + number), &format!("Group {number}"), &members)?;
        }
        Ok(())
    }

    /// Documents about vulnerabilities.
    fn advisories(&self, tx: &WriteTx<'_>) -> Result<(), StoreError> {
        let products: Vec<String> = (0..KINDS).map(|product| format!("Example Product {product}")).collect();
        let fixing: Vec<usize> = (0..self.updates.len()).step_by(FIXES).collect();
        let groups: Vec<(usize, &[usize])> = fixing.chunks(TOGETHER).enumerate().collect();
        for (at, some) in groups.chunks(GROUPS_OF_DOCUMENT).enumerate() {
            let vulnerabilities = some.iter().flat_map(|(group, updates)| {
                (0..FIXED_BY_EACH).filter_map(move |one| self.vulnerability(group * FIXED_BY_EACH + one, updates))
            });
            let document = Advised {
                kind: DocumentKind::Cvrf,
                issuer: String::new(),
                id: format!("Example {at}"),
                title: "Example updates".to_owned(),
                released: Some(self.now),
                revision: DocumentRevision { at: self.now, version: "1".to_owned() },
                skipped: 0,
                content: Content::Advisory(Advisory {
                    products: products.clone(),
                    vulnerabilities: vulnerabilities.collect(),
                }),
            };
            tx.exposure_document_put(&document, Sha256Digest([at as u8; 32]), "bench")?;
        }
        Ok(())
    }

    /// A vulnerability that these updates fix.
    fn vulnerability(&self, number: usize, updates: &[usize]) -> Option<Vulnerability> {
        let severities = [Severity::Critical, Severity::Important, Severity::Moderate, Severity::Low];
        let fix = |update: &usize| Fix {
            article: Some(Article(article(*update))),
            name: article(*update).to_string(),
            build: None,
            supersedes: Vec::new(),
            products: vec![(update % KINDS) as u32],
        };
        let affected: BTreeSet<u32> = updates.iter().map(|update| (update % KINDS) as u32).collect();
        Some(Vulnerability {
            cve: format!("CVE-2026-{}", 10_000 + number).parse().ok()?,
            title: "Example Product Elevation of Privilege".to_owned(),
            severity: severities.get(number % severities.len()).copied(),
            score: None,
            exploited: number.is_multiple_of(50),
            published: Some(self.now - SignedDuration::from_hours(24 * (number % 90) as i64)),
            revised: None,
            affected: affected.into_iter().collect(),
            fixes: updates.iter().map(fix).collect(),
        })
    }

    /// What a computer of a kind reports: of what applies to it most is installed, and the rest in other states.
    fn status(&self, kind: usize, variant: usize) -> Vec<u8> {
        let mut random = Random::new((variant * KINDS + kind) as u64);
        let mut told = Vec::new();
        for (place, (_, update)) in self.updates.iter().enumerate() {
            if (place + KINDS - kind) % KINDS >= APPLIES_TO {
                continue;
            }
            let state = match random.fraction() {
                dice if dice < 0.96 => State::Installed,
                dice if dice < 0.985 => State::Required,
                dice if dice < 0.995 => State::Downloaded,
                _ => State::PendingRestart,
            };
            let months = SignedDuration::from_hours(30 * 24 * random.below(12) as i64);
            told.push(Told { update: *update, state, changed: self.now - months });
        }
        told.sort_unstable_by_key(|told| told.update);
        let mut status = ComputerStatus::default();
        status.merge(true, told);
        status.reported = Some(self.now);
        status.as_of = Some(self.now);
        status.anchor = ChangeNumber(u64::MAX >> 8);
        if variant.is_multiple_of(FAILING) {
            self.fail(&mut status, kind, &mut random);
        }
        status.encode()
    }

    /// Installations that failed, some of them long enough ago that the update is needed again.
    fn fail(&self, status: &mut ComputerStatus, kind: usize, random: &mut Random) {
        let event = |update: UpdateId, event_id: i32, hresult: u32, seconds: i64| Event {
            instance_id: Uuid::nil(),
            event_id,
            source_id: 101,
            update: Some(UpdateIdentity::new(update, 1)),
            hresult: hresult.cast_signed(),
            at: self.now + SignedDuration::from_secs(seconds),
            app_name: String::new(),
            replacement_strings: Vec::new(),
            misc: MiscData::default(),
        };
        let mut events = Vec::new();
        for _ in 0..random.between(1, 3) {
            let place = random.below(self.updates.len() / KINDS) * KINDS + kind;
            let Some((update, _)) = self.updates.get(place) else { continue };
            events.push(event(*update, event_id::INSTALL_FAILED, *random.pick(&CODES), 1));
            if random.chance(0.3) {
                events.push(event(*update, event_id::UNINSTALL_SUCCEEDED, 0, 2));
            }
        }
        let number = |update| self.numbers.get(&update).copied();
        let now = self.now + SignedDuration::from_secs(10);
        apply(status, &events, &Context { now, anchor: None, number: &number });
    }

    /// A status that no computer has yet, and the computer that reports it.
    pub(crate) fn report(&self, turn: usize) -> anyhow::Result<()> {
        let place = turn * 977 % self.size;
        let status = self.status(place % KINDS, VARIANTS + 1 + turn);
        let row = StatusRow { status, ..StatusRow::default() };
        let no = u32::try_from(place + 1)?;
        Ok(self.store.write(&actor(self.now), |tx| tx.computer_status_put(no, &row))?)
    }

    /// How many updates the computers of the small collection list, all together.
    pub(crate) fn listed_by_few(&self) -> anyhow::Result<u64> {
        let mut listed = 0;
        self.store.read(|tx| {
            let members = tx.computer_directory()?.into_iter().filter(|row| row.groups.contains(&collection(1)));
            let members: Vec<u32> = members.map(|row| row.no).collect();
            tx.feed_status_of(&members, &mut |_, status| {
                listed += ComputerStatus::decode(status).unwrap_or_default().entries().len() as u64;
                Ok(())
            })
        })?;
        Ok(listed)
    }

    fn computers(&self) -> anyhow::Result<()> {
        // making a status costs more than storing it: some of each kind stand for all
        let statuses: Vec<Vec<u8>> =
            (0..KINDS * VARIANTS).map(|place| self.status(place % KINDS, place / KINDS)).collect();
        let mut random = Random::new(SEED);
        for start in (0..self.size).step_by(AT_ONCE) {
            self.store.try_write(&actor(self.now), |tx| {
                for place in start..(start + AT_ONCE).min(self.size) {
                    self.computer(tx, place, &statuses, &mut random)?;
                }
                Ok::<_, anyhow::Error>(())
            })?;
        }
        Ok(())
    }

    fn computer(
        &self,
        tx: &WriteTx<'_>,
        place: usize,
        statuses: &[Vec<u8>],
        random: &mut Random,
    ) -> anyhow::Result<()> {
        let dns_name = format!("pc{place}.example.com");
        let contact = Contact {
            id: random.guid().to_string().parse()?,
            dns_name: dns_name.clone(),
            ip_address: None,
            plain_http: false,
            requested_groups: None,
        };
        let (no, _) = tx.computer_contact(&contact)?;
        ensure!(no as usize == place + 1, "computer {place} has the number {no}");
        let kind = place % KINDS;
        tx.computer_register(
            no,
            &Registration {
                dns_name,
                os_major_version: 10,
                os_build_number: BUILDS.get(kind % BUILDS.len()).copied().unwrap_or_default(),
                os_description: Some("Windows 11 Enterprise".to_owned()),
                ..Registration::default()
            },
        )?;
        let scanned = self.now - SignedDuration::from_hours(random.below(48) as i64);
        let failed = place.is_multiple_of(NOT_SCANNING);
        tx.computer_touch(
            no,
            &ContactTimes {
                last_contact_at: Some(self.now),
                last_sync: Some((scanned, !failed, failed.then_some(TIMEOUT.cast_signed()))),
                last_report_at: Some(self.now),
                last_reboot_at: None,
            },
        )?;
        let mut groups = vec![collection(0), collection(2 + random.below(RINGS))];
        if random.fraction() < SMALL as f64 / self.size as f64 {
            groups.push(collection(1));
        }
        tx.computer_set_groups(no, MemberSource::Manual, &groups)?;
        // kinds stay together, so that builds and collections go with what is reported
        let variant = random.below(VARIANTS);
        let status = statuses.get(variant * KINDS + kind).context("a status")?.clone();
        tx.computer_status_put(no, &StatusRow { status, ..StatusRow::default() })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use weir_model::ids::ComputerId;
    use weir_store::computer::ComputerFilter;
    use weir_testkit::Computer;

    use super::*;
    use crate::engine::Engine;

    #[tokio::test(flavor = "multi_thread")]
    async fn no_computer_of_a_fleet_is_one_that_introduces_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Engine::default().home(folder.path()).expect("made");
        let fleet = Fleet::fill(&home, 60, 24, 0).await.expect("filled");
        let list = fleet.store.read(|tx| tx.computer_list(&ComputerFilter::default(), None, 1_000)).expect("computers");
        let ids: HashSet<&str> = list.items.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids.len(), 60);
        for number in 0..50_000 {
            let id: ComputerId = Computer::numbered(number).client_id.parse().expect("an id");
            assert!(!ids.contains(id.as_str()), "computer {number} is one of the fleet");
        }
    }
}
