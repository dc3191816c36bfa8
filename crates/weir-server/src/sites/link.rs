//! What the site link says: JSON over HTTP/1.1. Fields are only ever added; unknown ones are ignored, so that a parent may
//! be a version ahead of its children.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use weir_api::site::Point;
use weir_model::site::{SiteKind, SiteNode};

use crate::intent::{Digests, Object};

/// What all paths of the link begin with.
pub(crate) const PATH: &str = "/link/v1";
/// Bytes of the largest body that a parent takes from a child: the status of a whole tree.
pub(super) const REQUEST_BYTES: usize = 16 << 20;
/// Bytes of the largest answer that a child takes from its parent.
pub(super) const ANSWER_BYTES: usize = 64 << 20;
/// Longest text of a child's that is kept.
pub(super) const LONGEST_TEXT: usize = 4_096;

/// Kinds in which a child may say that it differs.
const MOST_KINDS: usize = 32;

/// The kind of [`Object`] that a site of the tree travels as; its body is a [`SiteBody`].
pub(super) const SITE_KIND: &str = "site";

/// `POST enrolment`: a server wants to be the one of the code's site.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Enrol {
    /// The code's secret, in hexadecimal.
    pub(super) secret: String,
    /// The server's identity.
    pub(super) server_id: Uuid,
    /// Its version of this program.
    pub(super) version: String,
    /// Its time.
    pub(super) now: Timestamp,
}

/// The answer to [`Enrol`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Enrolled {
    /// The site that the server is now.
    pub(super) site: Uuid,
    /// The tree as far as it matters: from the top to that site.
    pub(super) chain: Vec<SiteNode>,
    /// The parent.
    pub(super) parent: ParentFacts,
    /// What the parent's later certificates are signed by (PEM), if it is not the certificate of the code.
    #[serde(default)]
    pub(super) authority: Option<String>,
    /// The parent's time.
    pub(super) now: Timestamp,
}

/// What a parent says of itself with each answer of the feed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(super) struct ParentFacts {
    /// Its identity.
    pub(super) server_id: Uuid,
    /// Name of its site.
    pub(super) name: String,
    /// Its version of this program.
    pub(super) version: String,
}

/// A site of the tree on its way down.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(super) struct SiteBody {
    /// Its name.
    pub(super) name: String,
    /// What it is.
    pub(super) kind: SiteKind,
    /// The one above.
    pub(super) parent: Option<Uuid>,
}

/// The answer to `GET feed?since=N`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Feed {
    /// What changed after N, in order.
    pub(super) objects: Vec<Object>,
    /// All changes up to this number were told.
    pub(super) upto: u64,
    /// There is more.
    pub(super) more: bool,
    /// Who says so.
    pub(super) parent: ParentFacts,
    /// At the end of the feed: what all that it ever told amounts to. An earlier version does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) digests: Option<Digests>,
}

/// The answer to `GET notify?feed=N&catalogue=V`, as soon as there is something new, else after a while.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(super) struct News {
    /// The feed has more than N.
    pub(super) feed: bool,
    /// The version of the catalogue to synchronize; 0 while there is none, or while it is another update point's turn.
    pub(super) catalogue: u64,
}

/// The query of `notify`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct NotifyQuery {
    pub(super) feed: u64,
    pub(super) catalogue: u64,
    /// Tells processes of one identity apart.
    pub(super) instance: Uuid,
}

/// The query of `feed`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct FeedQuery {
    pub(super) since: u64,
}

/// `POST status`: the child's update point and those below it, as far as they changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StatusPost {
    /// Tells processes of one identity apart.
    pub(super) instance: Uuid,
    /// The child's own version of this program.
    pub(super) version: String,
    /// The points.
    pub(super) points: Vec<PointReport>,
}

/// One update point.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PointReport {
    /// Its site.
    pub(super) site: Uuid,
    /// When it was heard of by the server directly above it.
    pub(super) at: Timestamp,
    /// What it said.
    pub(super) point: Point,
}

/// Reads a body of the link (`enrol`, `enrolled`, `feed`, `news` or `status`), and writes it again. None if it is refused.
pub fn link_again(what: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    fn again<T: Serialize + serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<Vec<u8>> {
        serde_json::to_vec(&serde_json::from_slice::<T>(bytes).ok()?).ok()
    }
    match what {
        "enrol" => again::<Enrol>(bytes),
        "enrolled" => again::<Enrolled>(bytes),
        "feed" => again::<Feed>(bytes),
        "news" => again::<News>(bytes),
        "status" => again::<StatusPost>(bytes),
        _ => None,
    }
}

/// Shortens what a peer said of itself, and leaves out what could steer a terminal.
pub(super) fn plain(text: &mut String, longest: usize) {
    if text.chars().count() > longest || text.chars().any(|c| c.is_control() && c != '\n') {
        *text = text.chars().filter(|c| !c.is_control() || *c == '\n').take(longest).collect();
    }
}

/// The same for everything in a point.
pub(super) fn tidy(point: &mut Point) {
    plain(&mut point.host, 255);
    point.clients.truncate(super::addresses::MOST_ADDRESSES);
    for address in &mut point.clients {
        plain(address, 300);
    }
    plain(&mut point.version, 64);
    plain(&mut point.source, 2_048);
    if let Some(kinds) = &mut point.drift {
        kinds.truncate(MOST_KINDS);
        for kind in kinds {
            plain(kind, 64);
        }
    }
    for text in [&mut point.sync.phase, &mut point.sync.error, &mut point.sync.explanation].into_iter().flatten() {
        plain(text, LONGEST_TEXT);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_later_parent_may_say_more() {
        let feed = r#"{"objects":[{"kind":"window","version":3,"id":"x","change":9,"body":{"a":1},"colour":"red"}],"upto":9,
            "more":false,"parent":{"server_id":"b3f0a1de-0000-4000-8000-000000000001","name":"CEN","version":"9.0","moon":1}}"#;
        let feed: Feed = serde_json::from_str(feed).expect("understood as far as it can be");
        assert_eq!((feed.objects.len(), feed.upto), (1, 9));
        assert_eq!(feed.digests, None, "as an earlier parent");
    }

    #[test]
    fn what_a_child_says_is_bounded_and_harmless() {
        let mut text = format!("a\u{1b}[2J{}", "b".repeat(10_000));
        plain(&mut text, 100);
        assert_eq!(text.chars().count(), 100);
        assert!(!text.contains('\u{1b}'));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = serde_json::from_slice::<Feed>(&bytes);
            let _ = serde_json::from_slice::<StatusPost>(&bytes);
            let _ = serde_json::from_slice::<Enrol>(&bytes);
        }
    }
}
