//! Servers that move, and what is said of them on the old way and on the new one.

use uuid::Uuid;
use weir_model::status::State;
use weir_server::rollup::{Question, Reporter};

use crate::{
    common::id,
    site::{Link, Site, ago, ask, computer, entry, server},
};

/// The number of the server that one hangs below.
fn parent(site: &Site, of: Uuid) -> u32 {
    let rows = site.read(|tx| tx.rollup_servers());
    rows.iter().find(|row| row.id == of).expect("known").parent_no
}

fn number(site: &Site, of: Uuid) -> u32 {
    site.read(|tx| tx.downstream_find(of)).expect("known").no
}

fn claims(site: &Site) -> Vec<String> {
    let alerts = site.read(|tx| tx.alert_list(false, 10));
    alerts.into_iter().filter(|alert| alert.kind == "downstream.claim").map(|alert| alert.message).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_moved_appears_below_its_new_parent_a_day_after_it_was_heard_of_below_the_old_one() {
    let top = Site::open("top.example").await;
    let [one, two, leaf] = [Site::open("one.example").await, Site::open("two.example").await, Site::open("leaf").await];
    let (first, second) = (Link::new(&top, &one), Link::new(&top, &two));
    let (below_one, below_two) = (Link::new(&one, &leaf), Link::new(&two, &leaf));
    let no = leaf.calls(1);
    leaf.reports(no, ago(100), &[(id(1), State::Required)]);
    leaf.rolls_up(&below_one).await.expect("reports");
    one.rolls_up(&first).await.expect("reports");
    assert_eq!(parent(&top, leaf.id()), number(&top, one.id()));

    // it follows the other server now; its former parent remembers it
    leaf.reports(no, ago(50), &[(id(1), State::Installed)]);
    leaf.calls(2);
    leaf.rolls_up(&below_two).await.expect("reports");
    two.rolls_up(&second).await.expect("a claim that comes early fails nothing");
    assert_eq!(parent(&top, leaf.id()), number(&top, one.id()));
    assert_eq!(top.view().keys().collect::<Vec<_>>(), ["computer-1"]);
    assert_eq!(top.view()["computer-1"].states[&id(1)].0, State::Required);
    let told = claims(&top);
    assert!(matches!(&told[..], [told] if told.contains("two.example") && told.contains("leaf")), "{told:?}");

    // what the former parent repeats is no news of it
    top.age(23);
    one.rolls_up(&first).await.expect("reports");
    top.age(2);
    one.rolls_up(&first).await.expect("reports");
    leaf.reports(leaf.calls(2), ago(20), &[(id(2), State::Failed)]);
    leaf.reports(no, ago(20), &[(id(1), State::Installed)]);
    leaf.rolls_up(&below_two).await.expect("reports");
    two.rolls_up(&second).await.expect("reports");
    assert_eq!(parent(&top, leaf.id()), number(&top, two.id()));
    assert_eq!(top.view(), leaf.view(), "with everything that was left out meanwhile");
    assert!(claims(&top).is_empty());
    let moves = top.read(|tx| tx.audit_list(None, 100)).items;
    assert!(moves.iter().any(|row| row.action == "downstream.move"), "{moves:?}");

    // the former parent still lists it, and its computers: nothing of that counts, and nobody is alarmed
    top.write(|tx| tx.rollup_reset_put(Uuid::new_v4(), top.id()));
    one.rolls_up(&first).await.expect("reports");
    assert_eq!(parent(&top, leaf.id()), number(&top, two.id()));
    assert_eq!(top.view(), leaf.view());
    assert!(claims(&top).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_calls_here_itself_is_believed_about_itself_at_once() {
    let top = Site::open("top.example").await;
    let (one, leaf) = (Site::open("one.example").await, Site::open("leaf").await);
    let (first, below) = (Link::new(&top, &one), Link::new(&one, &leaf));
    leaf.calls(1);
    leaf.rolls_up(&below).await.expect("reports");
    one.rolls_up(&first).await.expect("reports");
    assert_eq!(parent(&top, leaf.id()), number(&top, one.id()));
    // whatever its parent said last, and however late
    let mut late = server(leaf.id(), one.id(), ago(-86_400 * 300));
    late.name = "leaf".into();
    let request = Question::Servers { client_time: ago(0), servers: vec![late] };
    ask(&top, Some(one.id()), request).await.expect("taken");

    let direct = Link::new(&top, &leaf);
    leaf.reports(leaf.calls(1), ago(5), &[(id(1), State::Required)]);
    leaf.rolls_up(&direct).await.expect("reports");
    assert_eq!(parent(&top, leaf.id()), 1);
    one.rolls_up(&first).await.expect("reports");
    assert_eq!(parent(&top, leaf.id()), 1, "its former parent lists it still");
    assert_eq!(top.view(), leaf.view());
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_share_an_address_speak_for_themselves_and_for_nobody_else() {
    let top = Site::open("top.example").await;
    let [a, b, elsewhere] = [0xa, 0xb, 0xc].map(Uuid::from_u128);
    for (id, name) in [(a, "a"), (b, "b"), (elsewhere, "elsewhere")] {
        top.admit(id, name);
    }
    let shared = || Reporter::OneOf([a, b].into());
    let say = async |question| weir_server::rollup::answer(&top.state, shared(), question).await;
    let servers = |servers| Question::Servers { client_time: ago(0), servers };
    let [below_a, below_b] = [1, 2].map(Uuid::from_u128);
    say(servers(vec![server(a, Uuid::nil(), ago(9)), server(below_a, a, ago(9))])).await.expect("taken");
    say(servers(vec![server(below_b, b, ago(9)), server(b, Uuid::nil(), ago(9))])).await.expect("taken");
    assert_eq!((parent(&top, below_a), parent(&top, below_b)), (number(&top, a), number(&top, b)));
    let refused = say(servers(vec![server(elsewhere, Uuid::nil(), ago(5))])).await;
    refused.expect_err("nobody there is that server");
    say(servers(vec![server(a, Uuid::nil(), ago(5)), server(elsewhere, a, ago(5))])).await.expect("its own entry");
    assert!(top.read(|tx| tx.rollup_servers()).iter().all(|row| row.id != elsewhere));

    let computers = vec![entry(1, below_a, ago(5)), entry(2, b, ago(5)), entry(3, elsewhere, ago(5))];
    say(Question::Computers { client_time: ago(0), computers }).await.expect("taken");
    assert_eq!(top.view().keys().collect::<Vec<_>>(), ["computer-1", "computer-2"]);
    assert!(top.read(|tx| tx.rollup_computer_find(&computer(3))).is_none());
}
