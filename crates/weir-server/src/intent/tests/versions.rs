//! Servers of an earlier version among those that read.

use super::*;

#[test]
fn what_version_1_can_say_is_written_as_version_1() {
    let (top, below) = (Site::new(), Site::new());
    let everyone = CollectionId::ALL_COMPUTERS;
    let plain = DeploymentIntent { terms: None, ..deployment(61, everyone, DeploymentAction::Install) };
    top.write(|tx| {
        tx.update_intern(UpdateId(id(61)))?;
        tx.update_group_put(id(80), "March", &[UpdateId(id(61))])?;
        tx.deployment_put(&plain, DeploymentOrigin::Local)
    });
    let (objects, at) = top.export(0);
    let versions: Vec<_> = objects.iter().map(|object| (object.kind.as_str(), object.version)).collect();
    assert_eq!(versions, [("update_group", 1), ("deployment", 1)]);
    for (object, field) in objects.iter().zip(["description", "terms"]) {
        assert_eq!(object.body.get(field), None, "an earlier version refuses what it does not know");
    }
    assert_eq!(below.apply(&objects, Origin::Parent).refused, []);
    assert_eq!(below.decided(), top.decided());

    top.write(|tx| {
        tx.update_group_describe(id(80), "of the spring")?;
        tx.deployment_put(&deployment(61, everyone, DeploymentAction::Install), DeploymentOrigin::Local)
    });
    let (named, _) = top.export(at);
    assert_eq!(named.iter().map(|object| object.version).collect::<Vec<_>>(), [2, 2]);
    below.apply(&named, Origin::Parent);
    assert_eq!(below.decided(), top.decided());
    // and back again
    below.apply(&objects, Origin::Parent);
    let decided = below.decided();
    assert!(decided.iter().all(|object| object.version == 1), "{decided:?}");
}
