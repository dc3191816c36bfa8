//! Update groups, what follows from their deployments, templates and stops.

use std::collections::BTreeMap;

use uuid::Uuid;
use weir_model::{
    deployment::{Settings, Template, Terms},
    ids::{ChangeNumber, CollectionId, DeploymentId, UpdateId},
    targeting::{DeploymentAction, DeploymentOrigin},
};

use super::{Scratch, software, time, update};
use crate::{
    deployment::{
        Deployed, DeployedMember, DeploymentFilter, DeploymentRosterRow, NewDeployment, Rows, Withheld, expanded_guid,
    },
    intent::IntentKind,
};

const GROUP: Uuid = Uuid::from_u128(0x6e0);
const ALL: CollectionId = CollectionId::ALL_COMPUTERS;

fn of_group(terms: Terms) -> NewDeployment {
    NewDeployment {
        guid: Uuid::from_u128(77),
        deployed: Deployed::Group(GROUP),
        collection: ALL,
        action: DeploymentAction::Install,
        available_at: time(10),
        deadline_at: Some(time(1000)),
        origin: DeploymentOrigin::Local,
        active: true,
        terms,
    }
}

fn with_group(members: &[u128]) -> Scratch {
    let scratch = Scratch::new();
    scratch.import((1..=4).map(|number| software(number, 1)).collect());
    let members: Vec<UpdateId> = members.iter().copied().map(update).collect();
    scratch.write(|tx| tx.update_group_put(GROUP, "March", &members));
    scratch
}

fn rows(scratch: &Scratch, rows: Rows) -> Vec<crate::deployment::DeploymentRow> {
    let filter = DeploymentFilter { rows, ..DeploymentFilter::default() };
    scratch.store.read(|tx| tx.deployment_list(&filter, None, 100)).expect("reads").items
}

/// What computers are offered: update, action, enabled.
fn offered(scratch: &Scratch) -> Vec<(UpdateId, DeploymentAction, bool)> {
    let row = |row: crate::deployment::DeploymentRow| match row.deployed {
        Deployed::Update { id, .. } => (id, row.action, row.enabled),
        Deployed::Group(_) => panic!("a group is offered to nobody"),
    };
    rows(scratch, Rows::Computers).into_iter().map(row).collect()
}

#[test]
fn a_name_is_found_however_its_letters_were_typed() {
    let scratch = with_group(&[1]);
    scratch.write(|tx| tx.update_group_put(GROUP, "\u{c4}rzte", &[update(1)]));
    for typed in ["\u{c4}rzte", "A\u{308}rzte", " a\u{308}RZTE "] {
        assert_eq!(scratch.store.read(|tx| tx.update_group_find(typed)).expect("reads"), Some(GROUP), "{typed:?}");
    }
}

#[test]
fn a_deployed_group_deploys_what_is_in_it() {
    let scratch = with_group(&[1, 2]);
    let terms = Terms { name: Some("March to all".to_owned()), local_time: true, ..Terms::default() };
    let id = scratch.write(|tx| tx.deployment_create(&of_group(terms.clone())));
    let install = |number| (update(number), DeploymentAction::Install, true);
    assert_eq!(offered(&scratch), [install(1), install(2)]);
    let people = rows(&scratch, Rows::People);
    assert_eq!(people.iter().map(|row| (row.id, row.active)).collect::<Vec<_>>(), [(id, false)]);
    assert_eq!((&people[0].terms, people[0].title.as_str()), (&terms, "March"));
    let counts = scratch.store.read(|tx| tx.deployment_counts()).expect("reads");
    assert_eq!((counts.len(), counts.get(&ALL)), (1, Some(&1)), "what follows from it is not counted");
    for row in rows(&scratch, Rows::Members(id)) {
        let Deployed::Update { id: update, revision: None } = row.deployed else { panic!("{row:?}") };
        assert_eq!((row.expanded_from, row.guid), (Some(id), expanded_guid(people[0].guid, update)));
        assert_eq!((row.collection, row.deadline_at, row.terms.local_time), (ALL, Some(time(1000)), true));
    }

    scratch.write(|tx| tx.update_group_put(GROUP, "March", &[update(2), update(3)]));
    assert_eq!(offered(&scratch), [install(2), install(3)]);
    scratch.write(|tx| tx.deployment_change(id, DeploymentAction::Optional, time(10), None));
    let optional = |number| (update(number), DeploymentAction::Optional, true);
    assert_eq!(offered(&scratch), [optional(2), optional(3)]);
    scratch.write(|tx| tx.deployment_set_enabled(id, false));
    assert!(offered(&scratch).iter().all(|(.., enabled)| !enabled));
    assert_eq!(scratch.store.read(|tx| tx.catalogue_targeting()).expect("reads").deployments, []);
    scratch.write(|tx| tx.deployment_set_enabled(id, true));
    assert!(!scratch.write(|tx| tx.update_group_delete(GROUP)), "it is deployed");
    scratch.write(|tx| tx.deployment_delete(id));
    assert_eq!((offered(&scratch), rows(&scratch, Rows::People)), (vec![], vec![]));
    assert!(scratch.write(|tx| tx.update_group_delete(GROUP)));
}

#[test]
fn deployments_are_read_in_one_pass_with_what_keeps_their_updates_back() {
    let scratch = with_group(&[1, 2]);
    let group = scratch.write(|tx| tx.deployment_create(&of_group(Terms::default())));
    let direct = NewDeployment {
        guid: Uuid::from_u128(78),
        deployed: Deployed::Update { id: update(3), revision: None },
        ..of_group(Terms { name: Some("Third".to_owned()), ..Terms::default() })
    };
    let direct = scratch.write(|tx| tx.deployment_create(&direct));
    let roster = |scratch: &Scratch| scratch.store.read(|tx| tx.deployment_roster()).expect("reads");
    let of = |row: &DeploymentRosterRow| (row.id, row.group, row.update, row.active, row.withheld);
    let rows = roster(&scratch);
    assert_eq!(
        rows.iter().map(of).collect::<Vec<_>>(),
        [(group, Some(GROUP), None, false, None), (direct, None, Some(update(3)), true, None)]
    );
    assert_eq!((rows[0].title.as_str(), rows[0].name.as_str(), rows[1].name.as_str()), ("March", "", "Third"));
    assert_eq!((rows[1].collection, rows[1].deadline_at), (ALL, Some(time(1000))));

    scratch.write(|tx| tx.update_stop_put(update(1), "it breaks printing"));
    scratch.write(|tx| tx.update_stop_put(update(3), "it breaks printing"));
    let mut members = scratch.store.read(|tx| tx.deployed_members(group)).expect("reads");
    members.sort_by_key(|member| member.update);
    let of = |member: &DeployedMember| (member.of, member.update, member.withheld);
    assert_eq!(
        members.iter().map(of).collect::<Vec<_>>(),
        [(group, update(1), Some(Withheld::Stopped)), (group, update(2), None)]
    );
    let mut all = Vec::new();
    scratch.store.read(|tx| tx.deployed_members_each(&mut |member| all.push(member))).expect("reads");
    all.sort_by_key(|member| member.update);
    assert_eq!(all, members);
    assert_eq!(roster(&scratch)[1].withheld, Some(Withheld::Stopped));
    let of_update = |number| scratch.store.read(|tx| tx.deployments_of_update(update(number))).expect("reads");
    assert_eq!((of_update(2), of_update(3), of_update(4)), ([group].into(), [direct].into(), [].into()));
}

#[test]
fn what_is_taken_out_of_a_group_is_told_to_those_who_had_it() {
    let scratch = with_group(&[1, 2]);
    let id = scratch.write(|tx| tx.deployment_create(&of_group(Terms::default())));
    let before = scratch.store.read(|tx| tx.catalogue_version()).expect("reads");
    scratch.write(|tx| tx.update_group_put(GROUP, "March", &[update(2)]));
    let targeting = scratch.store.read(|tx| tx.catalogue_targeting()).expect("reads");
    let retired: Vec<_> =
        targeting.retired.iter().map(|it| (it.update_id, it.collection, it.changed > before)).collect();
    assert_eq!(retired, [(update(1), ALL, true)]);
    let delta = |tx: &crate::ReadTx<'_>| tx.deployment_delta(None, ChangeNumber(1_000));
    let delta = scratch.store.read(delta).expect("reads");
    assert_eq!(delta.dead, [expanded_guid(Uuid::from_u128(77), update(1))]);
    let told: Vec<_> = delta.deployments.iter().map(|it| (it.identity.update_id, it.guid)).collect();
    assert_eq!(told, [(update(2), expanded_guid(Uuid::from_u128(77), update(2)))]);
    // it comes back as the same
    scratch.write(|tx| tx.update_group_put(GROUP, "March", &[update(1), update(2)]));
    let delta = scratch.store.read(|tx| tx.deployment_delta(None, ChangeNumber(1_000))).expect("reads");
    assert_eq!((delta.dead.len(), delta.deployments.len()), (0, 2));
    assert_eq!(rows(&scratch, Rows::Members(id)).len(), 2);
}

#[test]
fn one_update_may_be_deployed_by_itself_and_by_groups() {
    let scratch = with_group(&[1]);
    let direct = NewDeployment {
        guid: Uuid::from_u128(78),
        deployed: Deployed::Update { id: update(1), revision: None },
        ..of_group(Terms::default())
    };
    let group = scratch.write(|tx| tx.deployment_create(&of_group(Terms::default())));
    let direct = scratch.write(|tx| tx.deployment_create(&direct));
    assert_eq!(offered(&scratch).len(), 2);
    let found = |tx: &crate::ReadTx<'_>| tx.deployment_of(Deployed::Update { id: update(1), revision: None }, ALL);
    assert_eq!(scratch.store.read(found).expect("reads"), Some(direct));
    let of_update = DeploymentFilter { update: Some(update(1)), ..DeploymentFilter::default() };
    let listed = scratch.store.read(|tx| tx.deployment_list(&of_update, None, 10)).expect("reads").items;
    assert_eq!(listed.iter().map(|row| row.id).collect::<Vec<DeploymentId>>(), [group, direct]);
    let to_all = DeploymentFilter { collection: Some(ALL), ..DeploymentFilter::default() };
    let listed = scratch.store.read(|tx| tx.deployment_list(&to_all, None, 10)).expect("reads").items;
    assert_eq!(listed.len(), 2);
    let count = scratch.store.read(|tx| tx.deployment_count()).expect("reads");
    assert_eq!(count, 2, "what follows from the deployment of a group does not count");
    // decisions travel, what follows from them does not
    let travelling = scratch.store.read(|tx| tx.intent_of_kind(IntentKind::Deployment)).expect("reads");
    assert_eq!(travelling.len(), 2);
}

#[test]
fn names_and_settings_are_kept_and_travel_once() {
    let scratch = with_group(&[1]);
    let source = Uuid::from_u128(9);
    let terms = Terms {
        name: Some("Ärger".to_owned()),
        description: "why".to_owned(),
        source_id: Some(source),
        outside_windows: true,
        settings: Settings { grace: true, commit_write_filter: false, ..Settings::default() },
        ..Terms::default()
    };
    let id = scratch.write(|tx| tx.deployment_create(&of_group(terms.clone())));
    scratch
        .store
        .read(|tx| {
            assert_eq!(tx.deployment_named(" äRGER ")?, Some(id));
            assert_eq!(tx.deployment_named("other")?, None);
            assert_eq!(tx.deployment_names("ä")?.into_iter().collect::<Vec<_>>(), ["ärger"]);
            assert_eq!(tx.deployments_of_source(source)?, [id]);
            assert_eq!(tx.deployment_show(id)?.expect("there").terms, terms);
            Ok(())
        })
        .expect("reads");
    assert!(!scratch.write(|tx| tx.deployment_terms_put(id, &terms)));
    let before = scratch.store.read(|tx| tx.catalogue_version()).expect("reads");
    let other = Terms { hold_until_window: true, ..terms };
    assert!(scratch.write(|tx| tx.deployment_terms_put(id, &other)));
    assert!(rows(&scratch, Rows::Members(id)).iter().all(|row| row.terms.hold_until_window));
    let (changed, _) = scratch.store.read(|tx| tx.intent_since(before, 100)).expect("reads");
    assert_eq!(changed.iter().map(|row| row.kind).collect::<Vec<_>>(), [IntentKind::Deployment]);
}

#[test]
fn a_stopped_update_goes_out_to_nobody_until_it_is_resumed() {
    let scratch = with_group(&[1, 2]);
    let id = scratch.write(|tx| tx.deployment_create(&of_group(Terms::default())));
    scratch.write(|tx| {
        for row in
            tx.deployment_list(&DeploymentFilter { rows: Rows::Members(id), ..Default::default() }, None, 9)?.items
        {
            tx.deployment_set_active(row.id, true)?;
        }
        Ok(())
    });
    let active = || -> BTreeMap<UpdateId, bool> {
        let targeting = scratch.store.read(|tx| tx.catalogue_targeting()).expect("reads");
        targeting.deployments.iter().map(|it| (it.update_id, it.active)).collect()
    };
    assert_eq!(active(), BTreeMap::from([(update(1), true), (update(2), true)]));
    assert!(scratch.write(|tx| tx.update_stop_put(update(1), "it breaks printing")));
    assert!(!scratch.write(|tx| tx.update_stop_put(update(1), "it breaks printing")));
    assert_eq!(active(), BTreeMap::from([(update(1), false), (update(2), true)]));
    // whatever the row says
    let row = rows(&scratch, Rows::Members(id)).remove(0);
    scratch.write(|tx| tx.deployment_set_active(row.id, true));
    assert!(!active()[&update(1)]);
    let told = scratch.store.read(|tx| tx.deployment_delta(None, ChangeNumber(1_000))).expect("reads").deployments;
    let told: BTreeMap<_, _> =
        told.iter().map(|it| (it.identity.update_id, (it.action, it.deadline_at.is_some()))).collect();
    assert_eq!(told[&update(1)], (DeploymentAction::Block, false), "servers below are told to block it");
    assert_eq!(told[&update(2)], (DeploymentAction::Install, true));
    let due: Vec<bool> =
        scratch.store.read(|tx| tx.deployments_due()).expect("reads").iter().map(|it| it.stopped).collect();
    assert_eq!(due, [true, false]);
    let stop = scratch.store.read(|tx| tx.update_stop_show(update(1))).expect("reads").expect("stopped");
    assert_eq!((stop.reason.as_str(), stop.stopped_by.as_str()), ("it breaks printing", "administrator"));
    assert_eq!(scratch.store.read(|tx| tx.update_stop_list()).expect("reads"), [stop]);
    assert!(scratch.write(|tx| tx.update_stop_remove(update(1))));
    assert!(!scratch.write(|tx| tx.update_stop_remove(update(1))));
    let travelled = scratch.store.read(|tx| tx.intent_of_kind(IntentKind::UpdateStop)).expect("reads");
    assert_eq!(travelled.iter().map(|row| row.deleted).collect::<Vec<_>>(), [true]);
}

#[test]
fn servers_below_are_told_of_a_local_time_when_it_has_come_everywhere() {
    let scratch = with_group(&[1]);
    let id = scratch.write(|tx| tx.deployment_create(&of_group(Terms::default())));
    let told = || {
        let delta = scratch.store.read(|tx| tx.deployment_delta(None, ChangeNumber(1_000))).expect("reads");
        delta.deployments.iter().map(|it| (it.available_at, it.deadline_at)).collect::<Vec<_>>()
    };
    assert_eq!(told(), [(time(10), Some(time(1_000)))]);
    scratch.write(|tx| tx.deployment_terms_put(id, &Terms { local_time: true, ..Terms::default() }));
    let hours = 12 * 3_600;
    assert_eq!(told(), [(time(hours + 10), Some(time(hours + 1_000)))]);
    scratch.write(|tx| tx.deployment_change(id, DeploymentAction::Install, time(10), None));
    assert_eq!(told(), [(time(hours + 10), None)]);
}

#[test]
fn members_of_a_group_are_listed_with_their_state() {
    let scratch = with_group(&[1, 2, 3, 9]);
    scratch.write(|tx| {
        tx.update_decline(update(2))?;
        tx.update_stop_put(update(3), "no").map(drop)
    });
    let read =
        |cursor: Option<&str>| scratch.store.read(|tx| tx.update_group_members(GROUP, cursor, 3)).expect("reads");
    let page = read(None);
    let flags: Vec<_> = page.items.iter().map(|it| (it.update, it.declined, it.expired, it.stopped)).collect();
    assert_eq!(
        flags,
        [(update(1), false, false, false), (update(2), true, false, false), (update(3), false, false, true)]
    );
    let rest = read(page.next.as_deref());
    assert_eq!(rest.items.iter().map(|it| (it.update, it.newest)).collect::<Vec<_>>(), [(update(9), None)]);
    assert_eq!(rest.next, None);
    scratch.write(|tx| tx.update_group_describe(GROUP, "of the spring"));
    let row = scratch.store.read(|tx| tx.update_group_list()).expect("reads").remove(0);
    assert_eq!((row.description.as_str(), row.members, row.deployments), ("of the spring", 4, 0));
    assert_eq!(scratch.store.read(|tx| tx.update_groups_of(update(9))).expect("reads"), [GROUP]);
}

#[test]
fn templates_are_kept_by_name() {
    let scratch = Scratch::new();
    let template = Template { deadline: Some("+7d".to_owned()), ..Template::default() };
    let id = Uuid::from_u128(5);
    assert!(scratch.write(|tx| tx.template_put(id, "Weekly", &template, DeploymentOrigin::Local)));
    assert!(!scratch.write(|tx| tx.template_put(id, "Weekly", &template, DeploymentOrigin::Local)));
    let found = scratch.store.read(|tx| tx.template_find("WEEKLY")).expect("reads").expect("there");
    assert_eq!((found.id, found.template), (id, template));
    assert_eq!(scratch.store.read(|tx| tx.template_list()).expect("reads").len(), 1);
    assert!(scratch.write(|tx| tx.template_delete(id)));
    assert!(!scratch.write(|tx| tx.template_delete(id)));
}
