//! Whatever happens below and on the way, the server above ends up with what the lower one has.

use proptest::prelude::*;
use weir_model::status::State;

use crate::{
    common::id,
    site::{Fate, Link, Site, ago, computer},
};

/// Something that happens.
#[derive(Clone, Debug)]
enum Step {
    /// A computer calls and registers another build.
    Registers(u32, i32),
    /// A computer reports the states of some updates.
    Reports(u32, Vec<(u8, u8)>),
    /// It joins or leaves the one collection that both servers have.
    Joins(u32, bool),
    /// A roll-up, with the fates of its calls.
    RollsUp(Vec<u8>),
    /// The server above loses what it knows of a computer's status.
    Forgets(u32),
    /// The server above was restored.
    Resets,
}

fn step() -> impl Strategy<Value = Step> {
    let number = 1_u32..5;
    prop_oneof![
        2 => (number.clone(), 1_i32..5).prop_map(|(number, build)| Step::Registers(number, build)),
        5 => (number.clone(), proptest::collection::vec((1_u8..8, 2_u8..7), 0..5))
            .prop_map(|(number, states)| Step::Reports(number, states)),
        2 => (number.clone(), any::<bool>()).prop_map(|(number, joins)| Step::Joins(number, joins)),
        4 => proptest::collection::vec(0_u8..8, 0..8).prop_map(Step::RollsUp),
        1 => number.prop_map(Step::Forgets),
        1 => Just(Step::Resets),
    ]
}

fn fate(number: u8) -> Fate {
    match number {
        0 => Fate::Lost,
        1 => Fate::Refused,
        2 => Fate::Busy,
        _ => Fate::Answered,
    }
}

async fn run(steps: Vec<Step>) {
    let (upper, lower) = (Site::open("top.example").await, Site::open("below.example").await);
    let link = Link::new(&upper, &lower);
    let group = weir_model::ids::CollectionId(uuid::Uuid::from_u128(77));
    for site in [&upper, &lower] {
        let new = weir_store::collection::NewCollection {
            id: group,
            name: "Ring 1".into(),
            parent: None,
            kind: weir_model::targeting::CollectionKind::TargetGroup,
        };
        site.write(|tx| tx.collection_create(&new).map(drop));
    }
    // Each report is a second later than the one before, and all lie in the past.
    let mut clock = 100_000;
    for step in steps {
        match step {
            Step::Registers(number, build) => {
                let no = lower.calls(number);
                lower.registers(no, build);
            }
            Step::Reports(number, states) => {
                clock -= 1;
                let no = lower.calls(number);
                let mut states: Vec<_> = states
                    .into_iter()
                    .map(|(update, state)| (id(update.into()), State::from_protocol_number(state)))
                    .collect();
                states.sort_by_key(|(update, _)| *update);
                states.dedup_by_key(|(update, _)| *update);
                lower.reports(no, ago(clock), &states);
            }
            Step::Joins(number, joins) => {
                let no = lower.calls(number);
                let source = weir_store::collection::MemberSource::Manual;
                lower.write(|tx| {
                    if joins { tx.collection_add(group, no, source) } else { tx.collection_remove(group, no, source) }
                });
            }
            Step::RollsUp(fates) => {
                link.fate(fates.into_iter().map(fate));
                // it may fail: that is the point
                let _ = lower.rolls_up(&link).await;
            }
            Step::Forgets(number) => upper.write(|tx| {
                let Some(known) = tx.rollup_computer_find(&computer(number))? else { return Ok(()) };
                tx.rollup_status_put(known.no, 0, None, &weir_store::computer::StatusRow::default())
            }),
            Step::Resets => upper.write(|tx| tx.rollup_reset_put(uuid::Uuid::new_v4(), upper.id())),
        }
    }
    // What the server above forgot of a computer shows when that is told of again.
    for number in 1..5 {
        if lower.read(|tx| tx.computer_find(&computer(number))).is_some() {
            clock -= 1;
            lower.reports(lower.calls(number), ago(clock), &[(id(20), State::Required)]);
        }
    }
    link.fate([]);
    lower.rolls_up(&link).await.expect("rolls up");
    assert_eq!(upper.view(), lower.view());
    let owed = lower.read(|tx| tx.rollup_owed());
    assert_eq!((owed.computers, owed.statuses), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_server_above_ends_up_with_what_the_lower_one_has(steps in proptest::collection::vec(step(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
        runtime.block_on(run(steps));
    }
}
