//! GetRevisionIdList (MS-WSUSSS 3.1.4.5): which revisions a downstream server has not been told of.

use std::{io, sync::Arc};

use bytes::Bytes;
use jiff::Timestamp;
use weir_model::{
    ids::{ChangeNumber, UpdateId, UpdateIdentity},
    listing::{Filter, Listing, Since, Wanted},
};
use weir_store::Actor;
use weir_wire::{
    package::LANGUAGES,
    soap::ErrorCode,
    wsss::{
        Anchor, AnchorText, GetRelatedRevisionsForUpdates, GetRelatedRevisionsForUpdatesAnswer, GetRevisionIdList,
        GetRevisionIdListAnswer, IdAndDelta, LanguageAndDelta, Present, ProtocolVersion, RevisionIdList,
        RevisionListWriter, ServerSyncFilter,
    },
    xpress,
};

use super::{Call, Refusal, Reply, admission::ceil};
use crate::{
    client::body::Source,
    state::{AppState, blocking},
};

/// Entries that are written at once; an answer with more is written while it is sent.
const AT_ONCE: usize = 2_000;

impl Call<'_> {
    pub(super) async fn get_revision_id_list(&self, request: &GetRevisionIdList) -> Result<Reply, Refusal> {
        let cookie = self.caller(request.sealed()).await?;
        let (filter, anchor) = request.validate()?;
        let filter = read_filter(filter, anchor, cookie.protocol);
        let _turn = self.state.upstream.answers.acquire().await.map_err(|_| Refusal::new(ErrorCode::ServerBusy))?;
        let (change, listing) = listing(self.state).await?;
        // not before anything that is in the view
        let time = ceil(Timestamp::now());
        let (config, no) = (filter.config, cookie.holder.no);
        let revisions = blocking(move || Ok(listing.list(&filter))).await?;
        if !config {
            let actor = Actor::system("downstream servers", self.now);
            self.state.write(actor, move |tx| tx.downstream_synchronized(no, change)).await?;
        }
        let number = i64::try_from(change.0).unwrap_or(i64::MAX);
        let anchor: AnchorText = Anchor { number, time }.into();
        if revisions.len() > AT_ONCE {
            let writer = RevisionListWriter::new(self.version);
            let mut head = String::new();
            writer.head(&mut head, &anchor);
            let list =
                List { writer, head: Some(head), revisions: revisions.into_iter(), done: false, xpress: self.xpress };
            return Ok(Reply::Stream(Box::new(list)));
        }
        let result = RevisionIdList { anchor, new_revisions: revisions.into() };
        Ok(self.text(&GetRevisionIdListAnswer { result }))
    }

    /// In the service description and in no use.
    pub(super) async fn get_related_revisions(
        &self,
        request: &GetRelatedRevisionsForUpdates,
    ) -> Result<Reply, Refusal> {
        self.caller(request.sealed()).await?;
        Ok(self.text(&GetRelatedRevisionsForUpdatesAnswer { result: Present::default() }))
    }
}

/// A long list, on its way.
struct List {
    writer: RevisionListWriter,
    head: Option<String>,
    revisions: std::vec::IntoIter<UpdateIdentity>,
    done: bool,
    xpress: bool,
}

impl Source for List {
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.done {
            return Ok(None);
        }
        let mut out = self.head.take().unwrap_or_default();
        let some = self.revisions.as_slice();
        let some = some.get(..AT_ONCE).unwrap_or(some);
        self.writer.entries(&mut out, some);
        let written = some.len();
        if written < AT_ONCE {
            self.writer.tail(&mut out);
            self.done = true;
        } else {
            self.revisions.nth(written - 1);
        }
        Ok(Some(Bytes::from(if self.xpress { xpress::compress_greedy(out.as_bytes()) } else { out.into_bytes() })))
    }
}

/// The revisions as they are now, loaded once for each state of the catalogue, with the change up to which they go.
async fn listing(state: &Arc<AppState>) -> Result<(ChangeNumber, Arc<Listing>), Refusal> {
    let change = state.read(|tx| tx.catalogue_version()).await?;
    // one loads and the others wait for it
    let mut kept = state.upstream.listing.lock().await;
    if let Some((of, listing)) = kept.as_ref()
        && *of >= change
    {
        return Ok((*of, Arc::clone(listing)));
    }
    let loaded = state.read(|tx| Ok((tx.catalogue_version()?, Arc::new(tx.listing()?)))).await?;
    *kept = Some(loaded.clone());
    Ok(loaded)
}

/// A position that a downstream server was given.
pub(super) fn since(anchor: Anchor) -> Since {
    Since { change: ChangeNumber(u64::try_from(anchor.number).unwrap_or_default()), at: anchor.time }
}

fn read_filter(filter: &ServerSyncFilter, anchor: Option<Anchor>, protocol: ProtocolVersion) -> Filter {
    let narrow = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
    let entries = |list: &Option<Vec<IdAndDelta>>| -> Vec<Wanted<UpdateId>> {
        list.iter().flatten().map(|entry| Wanted { id: entry.id, delta: entry.delta }).collect()
    };
    // Get63LanguageOnly needs nothing: none of the languages that this server knows is beyond the first 63.
    Filter {
        since: anchor.map(since),
        protocol: (narrow(protocol.major), narrow(protocol.minor)),
        config: filter.get_config,
        categories: entries(&filter.categories),
        classifications: entries(&filter.classifications),
        languages: filter.languages.iter().flatten().map(language).collect(),
    }
}

/// A language that is not known matches nothing.
fn language(entry: &LanguageAndDelta) -> Wanted<String> {
    let known = LANGUAGES.iter().find(|(lcid, ..)| i64::from(*lcid) == i64::from(entry.id));
    let id = known.map_or_else(|| format!("lcid {}", entry.id), |(_, short, _)| (*short).to_owned());
    Wanted { id, delta: entry.delta }
}
