//! The sending side (checklist of the server-to-server protocol, item 33).

use uuid::Uuid;
use weir_model::{ids::UpdateIdentity, status::State};
use weir_server::rollup::{Question, SendError};
use weir_store::event::EventRow;

use crate::{
    common::id,
    site::{Fate, Link, Site, ago, computer},
};

async fn pair() -> (Site, Site, Link) {
    let (upper, lower) = (Site::open("top.example").await, Site::open("below.example").await);
    let link = Link::new(&upper, &lower);
    (upper, lower, link)
}

fn kinds(asked: &[Question]) -> Vec<&'static str> {
    let kind = |question: &Question| match question {
        Question::Configuration => "configuration",
        Question::Servers { .. } => "servers",
        Question::Computers { .. } => "computers",
        Question::OutOfSync { .. } => "numbers",
        Question::Status { .. } => "status",
    };
    asked.iter().map(kind).collect()
}

fn install(site: &Site, no: u32, event_id: i32) {
    let event = EventRow {
        instance_id: Uuid::new_v4(),
        computer: no,
        update: Some(UpdateIdentity::new(id(1), 200)),
        event_id,
        source_id: 1,
        at_target: ago(10),
        received_at: ago(10),
        hresult: 0,
        detail: None,
    };
    site.write(|tx| tx.event_insert(&event));
}

const SUCCEEDED: i32 = 183;
const FAILED: i32 = 182;

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_and_a_second_roll_up_says_nothing_of_computers() {
    let (upper, lower, link) = pair().await;
    for number in 1..=3 {
        let no = lower.calls(number);
        lower.registers(no, 26_100);
        lower.reports(no, ago(50), &[(id(1), State::Installed), (id(2), State::Required)]);
    }
    let outcome = lower.rolls_up(&link).await.expect("rolls up");
    assert_eq!((outcome.servers, outcome.statuses, outcome.detailed), (1, 3, true));
    assert_eq!(upper.view(), lower.view());
    let rows = upper.read(|tx| tx.rollup_servers());
    assert_eq!((rows.len(), rows[0].summary.computers, rows[0].parent_no), (1, 3, 1));
    assert_eq!(upper.read(|tx| tx.rollup_clients(rows[0].no))[0].computers, 3);

    link.take();
    let outcome = lower.rolls_up(&link).await.expect("rolls up");
    assert_eq!((outcome.computers, outcome.statuses), (0, 0));
    assert_eq!(kinds(&link.take()), ["configuration", "servers"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_changed_is_told() {
    let (upper, lower, link) = pair().await;
    let numbers = [1, 2].map(|number| lower.calls(number));
    for no in numbers {
        lower.reports(no, ago(50), &[(id(1), State::Installed), (id(2), State::Required)]);
    }
    lower.rolls_up(&link).await.expect("rolls up");
    link.take();
    lower.reports(numbers[1], ago(20), &[(id(1), State::Installed), (id(3), State::Failed)]);
    lower.rolls_up(&link).await.expect("rolls up");
    let asked = link.take();
    assert_eq!(kinds(&asked), ["configuration", "servers", "computers", "numbers", "status"]);
    let Question::Computers { computers, .. } = &asked[2] else { panic!("computers") };
    assert_eq!(computers.len(), 1);
    assert_eq!((&computers[0].id, &computers[0].details), (&computer(2), &None), "its details did not change");
    let Question::Status { computers, .. } = &asked[4] else { panic!("status") };
    let states: Vec<_> = computers[0].states.iter().map(|state| (state.update, state.state)).collect();
    assert_eq!(states, [(id(2), 1), (id(3), 5)], "what is not listed any more is not applicable");
    assert_eq!((computers[0].full, computers[0].number), (false, 2));
    assert_eq!(upper.view(), lower.view());
}

#[tokio::test(flavor = "multi_thread")]
async fn item_33_the_cookie_is_the_constant_one() {
    let (_upper, lower, link) = pair().await;
    lower.calls(1);
    lower.rolls_up(&link).await.expect("rolls up");
    let texts = link.texts.lock().expect("lock");
    assert_eq!(texts.len(), 3);
    for text in texts.iter() {
        assert!(text.contains("<Expiration>9999-12-31T23:59:59.9999999"), "{text}");
        assert!(text.contains("<EncryptedData />") || text.contains("<EncryptedData></EncryptedData>"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn item_33_new_parents_are_told_in_detail() {
    let (upper, lower, link) = pair().await;
    let no = lower.calls(1);
    lower.registers(no, 22_631);
    lower.rolls_up(&link).await.expect("rolls up");
    // The server above lost the computer without leaving a trace; the lower one thinks that details are known.
    upper.write(|tx| {
        let known = tx.rollup_computer_find(&computer(1))?.expect("known");
        tx.computer_delete(known.no)
    });
    lower.reports(no, ago(5), &[(id(1), State::Installed)]);
    link.take();
    lower.rolls_up(&link).await.expect("rolls up");
    let asked = link.take();
    assert_eq!(kinds(&asked)[..4], ["configuration", "servers", "computers", "computers"]);
    let Question::Computers { computers, .. } = &asked[3] else { panic!("computers") };
    assert!(computers[0].details.is_some());
    assert_eq!(upper.view(), lower.view());
    assert_eq!(upper.view()["computer-1"].build, 22_631);
}

#[tokio::test(flavor = "multi_thread")]
async fn item_33_a_computer_that_scans_here_is_not_deleted_by_the_server_above() {
    let (upper, lower, link) = pair().await;
    let no = lower.calls(1);
    lower.reports(no, ago(50), &[(id(1), State::Installed)]);
    lower.rolls_up(&link).await.expect("rolls up");
    upper.write(|tx| {
        let known = tx.rollup_computer_find(&computer(1))?.expect("known");
        tx.rollup_deleted_put(&computer(1), known.last_sync)?;
        tx.computer_delete(known.no)
    });
    // something of it changes, though it did not synchronize since
    lower.registers(no, 7);
    let outcome = lower.rolls_up(&link).await.expect("rolls up");
    assert_eq!(outcome.deleted, 0);
    assert_eq!(lower.view().len(), 1);
    assert!(upper.view().is_empty());
    link.take();
    lower.rolls_up(&link).await.expect("rolls up");
    assert_eq!(kinds(&link.take()), ["configuration", "servers"], "nothing more of it");
    lower.reports(no, ago(5), &[(id(1), State::Installed)]);
    lower.rolls_up(&link).await.expect("rolls up");
    assert_eq!(upper.view(), lower.view(), "it lives, and is told of in full");
}

#[tokio::test(flavor = "multi_thread")]
async fn item_33_a_busy_upstream_is_asked_again_after_a_pause_with_the_time_of_then() {
    let (upper, lower, link) = pair().await;
    let no = lower.calls(1);
    lower.reports(no, ago(50), &[(id(1), State::Installed)]);
    link.fate([Fate::Answered, Fate::Answered, Fate::Answered, Fate::Busy, Fate::Busy]);
    lower.rolls_up(&link).await.expect("the third time it is taken");
    assert_eq!(*link.pauses.lock().expect("lock"), 2);
    let asked = link.take();
    assert_eq!(kinds(&asked)[3..], ["status", "status", "status"]);
    let time = |question: &Question| match question {
        Question::Status { client_time, .. } => Some(*client_time),
        _ => None,
    };
    let times: Vec<_> = asked.iter().filter_map(time).collect();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
    assert_eq!(upper.view(), lower.view());

    lower.reports(no, ago(20), &[(id(2), State::Required)]);
    link.fate([Fate::Answered, Fate::Answered, Fate::Answered, Fate::Answered, Fate::Busy, Fate::Busy, Fate::Busy]);
    let error = lower.rolls_up(&link).await.expect_err("busy each time");
    assert!(matches!(error, SendError::Busy { tries: 3 }), "{error}");
    lower.rolls_up(&link).await.expect("the next roll-up goes on");
    assert_eq!(upper.view(), lower.view());
}

#[tokio::test(flavor = "multi_thread")]
async fn item_33_a_changed_reset_guid_means_everything_again() {
    let (upper, lower, link) = pair().await;
    for number in 1..=2 {
        let no = lower.calls(number);
        lower.reports(no, ago(50), &[(id(1), State::Installed)]);
    }
    lower.rolls_up(&link).await.expect("rolls up");
    upper.write(|tx| {
        for number in 1..=2 {
            let known = tx.rollup_computer_find(&computer(number))?.expect("known");
            tx.computer_delete(known.no)?;
        }
        tx.rollup_reset_put(Uuid::from_u128(5), upper.id())
    });
    link.take();
    let outcome = lower.rolls_up(&link).await.expect("rolls up");
    assert_eq!(outcome.statuses, 2);
    let asked = link.take();
    let Some(Question::Status { computers, .. }) = asked.last() else { panic!("status") };
    assert!(computers.iter().all(|entry| entry.full && entry.number == 2), "{computers:?}");
    assert_eq!(upper.view(), lower.view());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_with_another_status_gets_all_of_it() {
    let (upper, lower, link) = pair().await;
    let no = lower.calls(1);
    lower.reports(no, ago(50), &[(id(1), State::Installed), (id(2), State::Required)]);
    lower.rolls_up(&link).await.expect("rolls up");
    upper.write(|tx| {
        let known = tx.rollup_computer_find(&computer(1))?.expect("known");
        tx.rollup_status_put(known.no, 77, None, &weir_store::computer::StatusRow::default())
    });
    lower.reports(no, ago(20), &[(id(1), State::Installed), (id(2), State::Installed)]);
    lower.rolls_up(&link).await.expect("rolls up");
    assert_eq!(upper.view(), lower.view());
}

#[tokio::test(flavor = "multi_thread")]
async fn item_33_installations_are_cleared_only_after_success_and_count_once() {
    let (upper, lower, link) = pair().await;
    let no = lower.calls(1);
    lower.registers(no, 26_100);
    let total = |site: &Site, server| site.read(|tx| tx.rollup_activity_total(server));
    install(&lower, no, SUCCEEDED);
    install(&lower, no, FAILED);
    // the call does not arrive
    link.fate([Fate::Answered, Fate::Refused]);
    let error = lower.rolls_up(&link).await.expect_err("broken");
    assert!(error.to_string().contains("RollupDownstreamServers"), "{error}");
    // it arrives, and its answer is lost
    install(&lower, no, SUCCEEDED);
    link.fate([Fate::Answered, Fate::Lost]);
    lower.rolls_up(&link).await.expect_err("broken");
    let server = upper.read(|tx| tx.downstream_find(lower.id())).expect("known").no;
    assert_eq!(total(&upper, server), (1, 1), "what was frozen first");
    install(&lower, no, SUCCEEDED);
    link.fate([Fate::Answered, Fate::Lost]);
    lower.rolls_up(&link).await.expect_err("broken again");
    assert_eq!(total(&upper, server), (1, 1), "known already");
    lower.rolls_up(&link).await.expect("rolls up");
    assert_eq!(total(&upper, server), (3, 1), "and what came since");
    lower.rolls_up(&link).await.expect("rolls up");
    assert_eq!((total(&upper, server), total(&lower, 1)), ((3, 1), (3, 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_faults_ends_the_roll_up_and_is_named() {
    let steps = ["GetRollupConfiguration", "RollupDownstreamServers", "RollupComputers", "RollupComputerStatus"];
    for (calls, step) in steps.into_iter().enumerate() {
        let (upper, lower, link) = pair().await;
        let no = lower.calls(1);
        lower.reports(no, ago(50), &[(id(1), State::Installed)]);
        link.fate(std::iter::repeat_n(Fate::Answered, calls).chain([Fate::Refused]));
        let error = lower.rolls_up(&link).await.expect_err(step);
        assert!(error.to_string().contains(step), "{error}");
        lower.rolls_up(&link).await.expect("rolls up");
        assert_eq!(upper.view(), lower.view());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_detail_only_servers_are_told() {
    let (upper, lower, link) = pair().await;
    let no = lower.calls(1);
    lower.reports(no, ago(50), &[(id(1), State::Installed)]);
    upper.write(|tx| tx.setting_put("rollup.detailed", &serde_json::Value::Bool(false)).map(drop));
    let outcome = lower.rolls_up(&link).await.expect("rolls up");
    assert!(!outcome.detailed);
    assert_eq!(kinds(&link.take()), ["configuration", "servers"]);
    upper.write(|tx| tx.setting_put("rollup.detailed", &serde_json::Value::Bool(true)).map(drop));
    lower.rolls_up(&link).await.expect("rolls up");
    assert_eq!(upper.view(), lower.view(), "nothing was forgotten meanwhile");
}
