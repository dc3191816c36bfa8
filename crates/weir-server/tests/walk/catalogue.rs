//! A catalogue with something of everything, and what changes in it.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    ids::{CollectionId, RevisionNumber},
    update::CategoryKind,
};
use weir_testkit::{
    Document, Payload,
    upstream::{Blobs, Served},
};
use weir_wire::wsss::{ServerSyncDeployment, ServerSyncTargetGroup};

use crate::support::{FAMILY, PRODUCT, id, identity, served, software};

fn group(number: u128, parent: CollectionId) -> ServerSyncTargetGroup {
    ServerSyncTargetGroup {
        target_group_id: collection(number),
        parent_group_id: parent,
        name: Some(format!("Ring {number}")),
        is_builtin: false,
    }
}

fn collection(number: u128) -> CollectionId {
    CollectionId(Uuid::from_u128(0x9107_0000 | number))
}

fn deployment(number: u128, update: u128, revision: u32, to: CollectionId) -> ServerSyncDeployment {
    ServerSyncDeployment {
        update_id: id(update),
        revision_number: RevisionNumber(revision),
        action: 0,
        admin_name: Some("PARENT\\admin".to_owned()),
        deadline: None.into(),
        is_assigned: true,
        go_live_time: Timestamp::UNIX_EPOCH,
        deployment_guid: Uuid::from_u128(number),
        target_group_id: to,
        download_priority: 2,
    }
}

const LICENCE: Uuid = Uuid::from_u128(0xe01a);

/// Categories, a detectoid, bundles in bundles whose members no list names, an expired update, a licence, files,
/// supersedence, an encrypted file, groups, deployments and declines; two documents in an answer, some of them packed.
pub(crate) fn first() -> Served {
    let file = |name: &str| Payload::new(name, name.repeat(20));
    let mut served = served([
        software(10, 1).bundles([identity(20, 1)]).bundles([identity(21, 1)]),
        Document::member(id(20), 1).bundles([identity(30, 1)]),
        Document::member(id(21), 1).file(&file("member.cab")),
        Document::member(id(30), 1).file(&file("innermost.cab")),
        software(11, 1).expired(),
        software(12, 1).eula(LICENCE, "en", None, &file("licence.txt")).file(&file("update.cab")),
        software(13, 1).supersedes(id(14)).rules_of_size(9_000),
        software(14, 1),
        software(15, 1).requires(id(13)).property_child("SecuredFragment", "FileDecryption").file(&file("secret.cab")),
    ]);
    served.lists_members = false;
    served.blobs = Blobs::CabinetFrom(5_120);
    served.config.max_number_of_updates_per_request = 2;
    served.groups.push(group(1, CollectionId::ALL_COMPUTERS));
    served.groups.push(group(2, collection(1)));
    served.deploy(deployment(1, 10, 1, collection(1)));
    served.deploy(deployment(2, 12, 1, CollectionId::ALL_COMPUTERS));
    served.hidden.insert(id(14));
    served.eulas.insert(LICENCE);
    served
}

/// Something of everything changes.
pub(crate) fn change(served: &mut Served) {
    for document in [
        Document::category(id(PRODUCT), 2, CategoryKind::Product).title("Renamed").in_category(id(FAMILY)),
        software(10, 2).bundles([identity(20, 2)]).bundles([identity(21, 1)]).bundles([identity(22, 1)]),
        Document::member(id(20), 2).bundles([identity(31, 1)]),
        Document::member(id(22), 1),
        Document::member(id(31), 1).file(&Payload::new("new.cab", "new".repeat(9))),
        software(13, 2).expired(),
        software(16, 1).supersedes(id(12)),
        software(17, 1).property_child("SecuredFragment", "FileDecryption"),
    ] {
        served.add(&document);
    }
    served.groups.push(group(3, collection(1)));
    served.groups.retain(|group| group.target_group_id != collection(2));
    served.undeploy(Uuid::from_u128(1));
    served.deploy(deployment(3, 16, 1, collection(3)));
    served.deploy(deployment(4, 10, 2, collection(1)));
    served.hidden.clear();
    served.hidden.insert(id(12));
}
