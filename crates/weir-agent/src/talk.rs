//! Drives the machines over a link: scans, reports, locations.

use std::{collections::BTreeMap, sync::Arc};

use weir_model::ids::ContentDigest;
use weir_wire::{
    soap::Binary,
    wusp::{Cookie, GetFileLocations, ReportEventBatch},
};

use crate::{
    computer::Computer,
    events,
    exchange::{Answer, Request},
    failure::{Code, Problem},
    library::Library,
    link::Link,
    scan::{Options, Scan, ScanOutcome},
    session::Session,
    state::State,
    world::World,
};

/// Events in one ReportEventBatch.
const BATCH: usize = 200;
/// Digests in one GetFileLocations.
const DIGESTS: usize = 200;

/// Sees a scan go on: called before every call, with what it brought so far.
pub type Watch<'w> = dyn FnMut(&Request, &ScanOutcome, &mut State) + Send + 'w;

/// Scans. What came is kept in the state also if the scan fails.
pub async fn scan<C: Computer + Send + ?Sized>(
    state: &mut State,
    computer: &mut C,
    library: &Library,
    link: &mut Link,
    options: Arc<Options>,
    world: &dyn World,
    watch: &mut Watch<'_>,
) -> (ScanOutcome, Result<(), Problem>) {
    state.move_to(&Arc::from(link.server()));
    let mut scan = Scan::begin(options, state, computer);
    let result = loop {
        let request = match scan.next(state, computer, world.now()) {
            Ok(Some(request)) => request,
            Ok(None) => break Ok(()),
            Err(problem) => break Err(problem),
        };
        watch(&request, scan.outcome(), state);
        tell_service(link, state);
        let step = match link.call(&request).await {
            Ok(answer) => scan.answered(state, library, computer, answer),
            Err(failure) => scan.failed(state, request.operation(), failure),
        };
        if let Err(problem) = step {
            break Err(problem);
        }
    };
    let outcome = scan.finish(state, library);
    if result.is_ok() {
        state.scanned = Some(world.now());
    }
    (outcome, result)
}

/// Sends the events that wait, in batches, and forgets those that the server acknowledged. Gives how many.
///
/// # Errors
///
/// A call failed beyond recovery, or the server did not take a batch. What was not acknowledged stays.
pub async fn report<C: Computer + Send + ?Sized>(
    state: &mut State,
    computer: &mut C,
    library: &Library,
    link: &mut Link,
    world: &dyn World,
) -> Result<usize, Problem> {
    state.move_to(&Arc::from(link.server()));
    let mut sent = 0;
    while !state.events.is_empty() {
        let batch = state.events.len().min(BATCH);
        let request = |state: &State, computer: &C| {
            let description = computer.description();
            let events = state.events.iter().take(batch).map(|event| events::wire(event, &description)).collect();
            let now = world.now();
            ReportEventBatch { cookie: state.cookie.clone(), client_time: Some(now), event_batch: events }.into()
        };
        match converse(state, computer, library, link, world, request).await? {
            Answer::ReportEventBatch(answer) if answer.result => {
                state.events.drain(..batch.min(state.events.len()));
                sent += batch;
            }
            _ => return Err(Problem::new(Code::INVALID_ANSWER, "the server did not take the report")),
        }
    }
    state.events.shrink_to_fit();
    Ok(sent)
}

/// Asks where files are.
///
/// # Errors
///
/// A call failed beyond recovery.
pub async fn locations<C: Computer + Send + ?Sized>(
    state: &mut State,
    computer: &mut C,
    library: &Library,
    link: &mut Link,
    world: &dyn World,
    digests: &[ContentDigest],
) -> Result<BTreeMap<ContentDigest, String>, Problem> {
    let mut found = BTreeMap::new();
    for chunk in digests.chunks(DIGESTS) {
        let request = |state: &State, _: &C| {
            let file_digests = chunk.iter().map(|digest| Binary(digest.0.to_vec())).collect();
            GetFileLocations { cookie: state.cookie.clone(), file_digests }.into()
        };
        let answer = converse(state, computer, library, link, world, request).await?;
        let Answer::GetFileLocations(answer) = answer else { continue };
        let Some(result) = answer.result else { continue };
        for location in result.file_locations {
            let digest = location.file_digest.and_then(|digest| <[u8; 20]>::try_from(digest.0).ok());
            if let (Some(digest), Some(url)) = (digest, location.url) {
                found.insert(ContentDigest(digest), url);
            }
        }
        if let Some(cookie) = result.new_cookie.filter(|cookie: &Cookie| cookie.sealed().is_some()) {
            state.cookie = Some(cookie);
        }
    }
    Ok(found)
}

/// One call with everything that stands before it, and recovery from faults.
async fn converse<C: Computer + Send + ?Sized>(
    state: &mut State,
    computer: &mut C,
    library: &Library,
    link: &mut Link,
    world: &dyn World,
    request: impl Fn(&State, &C) -> Request + Send,
) -> Result<Answer, Problem> {
    let mut session = Session::default();
    loop {
        let before = session.next(state, &computer.description(), world.now());
        let request = before.unwrap_or_else(|| request(state, computer));
        tell_service(link, state);
        match link.call(&request).await {
            Ok(answer) => {
                if let Some(answer) = session.answered(state, library, answer)? {
                    return Ok(answer);
                }
            }
            Err(failure) => session.failed(state, request.operation(), failure)?,
        }
    }
}

fn tell_service(link: &mut Link, state: &State) {
    if let Some(config) = &state.config {
        link.set_service_url(&config.service_url);
    }
}
