//! Three levels, computers that move, and servers that go.

use weir_model::status::State;
use weir_store::downstream::Admission;

use crate::{
    common::id,
    site::{Link, Site, ago, change, computer},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_top_sees_the_computers_of_the_whole_tree_with_their_servers() {
    let top = Site::open("top.example").await;
    let middle = Site::open("middle.example").await;
    let leaf = Site::open("leaf.example").await;
    let (up, down) = (Link::new(&top, &middle), Link::new(&middle, &leaf));
    for (site, number) in [(&top, 1), (&middle, 2), (&leaf, 3), (&leaf, 4)] {
        let no = site.calls(number);
        site.registers(no, 26_000 + number as i32);
        site.reports(no, ago(60), &[(id(u128::from(number)), State::Required), (id(9), State::Installed)]);
    }
    leaf.rolls_up(&down).await.expect("the leaf reports");
    middle.rolls_up(&up).await.expect("the middle reports");
    let mut whole = leaf.view();
    whole.extend(middle.view());
    assert_eq!(whole, middle.view(), "the middle has its own and those of the leaf");
    whole.extend(top.view().into_iter().filter(|(_, view)| view.server == top.id()));
    assert_eq!(top.view(), whole);
    assert_eq!(top.view()["computer-4"].server, leaf.id());

    let servers = top.read(|tx| tx.rollup_servers());
    let number = |id| servers.iter().find(|row| row.id == id).map(|row| row.no);
    let leaf_row = servers.iter().find(|row| row.id == leaf.id()).expect("the leaf is known at the top");
    assert_eq!(Some(leaf_row.parent_no), number(middle.id()));
    assert_eq!((leaf_row.name.as_str(), leaf_row.summary.computers), ("leaf.example", 2));
    let reported = top.read(|tx| tx.downstream_find(leaf.id())).expect("a row");
    assert_eq!(reported.admission, Admission::Reported);

    // changes pass through
    let no = leaf.calls(3);
    leaf.reports(no, ago(20), &[(id(3), State::Installed)]);
    leaf.rolls_up(&down).await.expect("the leaf reports");
    up.take();
    let outcome = middle.rolls_up(&up).await.expect("the middle reports");
    assert_eq!((outcome.computers, outcome.statuses), (1, 1), "of the one that changed");
    assert_eq!(top.view()["computer-3"], leaf.view()["computer-3"]);

    // computers of other servers do not scan here
    for (site, own) in [(&top, 1), (&middle, 1), (&leaf, 2)] {
        site.state.live.republish().await.expect("publishes");
        assert_eq!(site.state.live.directory.len(), own, "{}", site.name);
    }
    let version = top.read(|tx| tx.computer_directory_version());
    leaf.calls(5);
    leaf.rolls_up(&down).await.expect("the leaf reports");
    middle.rolls_up(&up).await.expect("the middle reports");
    assert_eq!(top.view().len(), 5);
    assert_eq!(top.read(|tx| tx.computer_directory_version()), version, "no reload for the computers of others");
    assert_eq!(top.read(|tx| tx.computer_count_since(ago(3_600))), 1, "nor do they count as new here");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computer_that_moves_belongs_to_the_server_it_called_last() {
    let top = Site::open("top.example").await;
    let (one, two) = (Site::open("one.example").await, Site::open("two.example").await);
    let (first, second) = (Link::new(&top, &one), Link::new(&top, &two));
    let no = one.calls(1);
    one.registers(no, 1);
    one.reports(no, ago(100), &[(id(1), State::Required)]);
    one.rolls_up(&first).await.expect("reports");
    assert_eq!(top.view()["computer-1"].server, one.id());

    let no = two.calls(1);
    two.registers(no, 2);
    two.reports(no, ago(50), &[(id(1), State::Installed)]);
    two.rolls_up(&second).await.expect("reports");
    assert_eq!(top.view(), two.view());
    // what the old server still says is older
    one.registers(one.calls(1), 3);
    one.rolls_up(&first).await.expect("reports");
    assert_eq!(top.view(), two.view());

    // it scans at the top now
    top.state.live.republish().await.expect("publishes");
    assert!(top.state.live.directory.is_empty());
    let no = top.calls(1);
    assert_eq!(top.read(|tx| tx.computer_count()), 1, "the same row");
    top.reports(no, ago(10), &[(id(1), State::Failed)]);
    top.state.live.republish().await.expect("publishes");
    assert_eq!(top.state.live.directory.len(), 1);
    two.reports(two.calls(1), ago(40), &[(id(1), State::Required)]);
    two.rolls_up(&second).await.expect("reports");
    let view = top.view().remove("computer-1").expect("known");
    assert_eq!((view.server, view.states[&id(1)].0), (top.id(), State::Failed));

    // and at last below again
    two.reports(two.calls(1), ago(-5), &[(id(1), State::Installed)]);
    two.rolls_up(&second).await.expect("reports");
    assert_eq!(top.view()["computer-1"].server, two.id());
    assert!(top.state.live.directory.find(&computer(1)).is_none(), "at once, without a reload");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_removed_takes_its_computers_and_those_below_it_along() {
    let top = Site::open("top.example").await;
    let (middle, leaf) = (Site::open("middle.example").await, Site::open("leaf.example").await);
    let (up, down) = (Link::new(&top, &middle), Link::new(&middle, &leaf));
    top.calls(1);
    middle.calls(2);
    leaf.calls(3);
    leaf.rolls_up(&down).await.expect("reports");
    middle.rolls_up(&up).await.expect("reports");
    assert_eq!(top.view().len(), 3);
    let no = top.read(|tx| tx.downstream_find(middle.id())).expect("known").no;
    let removed = top.write(|tx| tx.downstream_remove(no));
    assert_eq!((removed.servers, removed.computers), (2, 2));
    assert_eq!(top.view().into_keys().collect::<Vec<_>>(), ["computer-1"]);
    assert!(top.read(|tx| tx.rollup_server_numbers()).is_empty());
    assert!(top.read(|tx| tx.rollup_clients(no)).is_empty());

    // it is allowed again: everything comes back, since its numbers fit nothing here
    top.admit(middle.id(), "middle.example");
    leaf.reports(leaf.calls(3), ago(5), &[(id(1), State::Required)]);
    leaf.rolls_up(&down).await.expect("reports");
    middle.rolls_up(&up).await.expect("reports");
    assert_eq!(top.view()["computer-3"], leaf.view()["computer-3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_computer_has_evaluated_is_known_above() {
    let (top, below) = (Site::open("top.example").await, Site::open("below.example").await);
    let link = Link::new(&top, &below);
    change(&below);
    below.rolls_up(&link).await.expect("notes the synchronization");
    let no = below.calls(1);
    below.reports(no, ago(0), &[]);
    below.rolls_up(&link).await.expect("reports");
    let known = top.read(|tx| tx.rollup_computer_find(&computer(1))).expect("known");
    let synced = below.read(|tx| tx.rollup_syncs());
    assert_eq!(known.effective, synced.last().map(|(at, _)| *at), "as of the synchronization before its scan");
}
