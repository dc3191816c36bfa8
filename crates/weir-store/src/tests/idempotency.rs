//! Keys of requests: taken once, answered, forgotten.

use weir_model::ids::Sha256Digest;

use super::{Scratch, actor, time};
use crate::idempotency::KeyedRequest;

fn request(principal: &str, key: u8) -> KeyedRequest {
    KeyedRequest {
        principal: principal.to_owned(),
        key: Sha256Digest([key; 32]),
        request: "POST /api/v1/collections".to_owned(),
        body: Sha256Digest([9; 32]),
    }
}

#[test]
fn a_key_is_taken_once_for_each_principal() {
    let scratch = Scratch::new();
    let (one, other) = (request("one", 1), request("other", 1));
    let oldest = time(-100);
    assert_eq!(scratch.write(|tx| tx.idempotency_take(&one, oldest)), None);
    assert_eq!(scratch.write(|tx| tx.idempotency_take(&other, oldest)), None, "keys of others are others");
    let known = scratch.write(|tx| tx.idempotency_take(&one, oldest)).expect("it is taken");
    assert_eq!((known.status, known.answer, known.created_at), (None, None, time(0)), "under way, or nobody knows");
    scratch.write(|tx| tx.idempotency_answer("one", one.key, 201, Some("{}")));
    let known = scratch.write(|tx| tx.idempotency_take(&one, oldest)).expect("it is taken");
    assert_eq!((known.status, known.answer.as_deref()), (Some(201), Some("{}")));
    assert_eq!((known.request, known.body), (one.request.clone(), one.body));
    assert_eq!(scratch.store.read(|tx| tx.idempotency_count("one")).expect("reads"), 1);
}

#[test]
fn released_and_old_keys_are_free_again() {
    let scratch = Scratch::new();
    let one = request("one", 1);
    scratch.write(|tx| tx.idempotency_take(&one, time(-100)));
    assert!(scratch.write(|tx| tx.idempotency_release("one", one.key)));
    assert!(!scratch.write(|tx| tx.idempotency_release("one", one.key)));
    assert_eq!(scratch.write(|tx| tx.idempotency_take(&one, time(-100))), None);
    let later = |tx: &crate::WriteTx<'_>| tx.idempotency_take(&one, time(50));
    assert_eq!(scratch.store.write(&actor(100), later).expect("writes"), None, "it is older than keys live");
    let known = scratch.store.read(|tx| tx.idempotency_show("one", one.key)).expect("reads").expect("a row");
    assert_eq!(known.created_at, time(100));
    assert_eq!(scratch.write(|tx| tx.idempotency_prune(time(100))), 0);
    assert_eq!(scratch.write(|tx| tx.idempotency_prune(time(101))), 1);
}
