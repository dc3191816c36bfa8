//! What of the upstream server's updates is asked for (MS-WSUSSS 2.2.4.8, GetRevisionIdList), and what that means for
//! anchors: ids that the anchor covers are asked for since it, new ones from the beginning.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use weir_model::ids::UpdateId;
use weir_wire::wsss::{AnchorText, IdAndDelta, LanguageAndDelta, ServerSyncFilter};

/// Which updates a list of revisions was asked for.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub(super) struct Filter {
    /// Products and classifications; none: whatever the server has (a replica).
    pub(super) chosen: Option<Chosen>,
    /// LCIDs; empty: all.
    pub(super) languages: BTreeSet<u32>,
}

/// Products and classifications.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub(super) struct Chosen {
    pub(super) products: BTreeSet<Uuid>,
    pub(super) classifications: BTreeSet<Uuid>,
}

/// The list of categories, since `anchor`.
pub(super) fn categories(anchor: Option<String>) -> ServerSyncFilter {
    ServerSyncFilter { anchor: anchor.into(), get_config: true, ..ServerSyncFilter::default() }
}

impl Filter {
    /// Nothing can match: the server would answer an empty list.
    pub(super) fn matches_nothing(&self) -> bool {
        self.chosen.as_ref().is_some_and(|chosen| chosen.products.is_empty() || chosen.classifications.is_empty())
    }

    /// The request for what is new, after a list with the filter `before` gave `anchor`.
    pub(super) fn request(&self, before: Option<&Self>, anchor: Option<String>) -> ServerSyncFilter {
        let covered = before.filter(|before| before.covers_more_than_ids(self));
        // without a filter that the anchor holds for, it says nothing
        let anchor: AnchorText = anchor.filter(|_| covered.is_some()).into();
        let known = anchor.text().is_some();
        let ids = |chosen: &BTreeSet<Uuid>, had: Option<&BTreeSet<Uuid>>| {
            // a list without a filter covered every id
            let had = |id: &Uuid| had.is_none_or(|had| had.contains(id));
            chosen.iter().map(|id| IdAndDelta { id: UpdateId(*id), delta: known && had(id) }).collect()
        };
        let before = covered.and_then(|covered| covered.chosen.as_ref());
        let languages: Vec<LanguageAndDelta> = self
            .languages
            .iter()
            .map(|id| {
                let had = covered.is_some_and(|had| had.languages.is_empty() || had.languages.contains(id));
                LanguageAndDelta { id: *id as i32, delta: known && had }
            })
            .collect();
        ServerSyncFilter {
            anchor,
            get_config: false,
            get_63_language_only: false,
            categories: self.chosen.as_ref().map(|chosen| ids(&chosen.products, before.map(|had| &had.products))),
            classifications: self
                .chosen
                .as_ref()
                .map(|chosen| ids(&chosen.classifications, before.map(|had| &had.classifications))),
            languages: (!languages.is_empty()).then_some(languages),
        }
    }

    /// What `wanted` asks beyond this can be asked for id by id. Where a restriction falls away as a whole, it cannot.
    fn covers_more_than_ids(&self, wanted: &Self) -> bool {
        let products = self.chosen.is_none() || wanted.chosen.is_some();
        let languages = self.languages.is_empty() || !wanted.languages.is_empty();
        products && languages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(products: &[u128], classifications: &[u128], languages: &[u32]) -> Filter {
        let ids = |list: &[u128]| list.iter().map(|id| Uuid::from_u128(*id)).collect();
        let chosen = Chosen { products: ids(products), classifications: ids(classifications) };
        Filter { chosen: Some(chosen), languages: languages.iter().copied().collect() }
    }

    fn deltas(list: Option<Vec<IdAndDelta>>) -> Vec<(u128, bool)> {
        list.expect("a list").into_iter().map(|id| (id.id.0.as_u128(), id.delta)).collect()
    }

    #[test]
    fn the_first_request_has_no_anchor_and_asks_for_everything() {
        let request = filter(&[1, 2], &[9], &[]).request(None, None);
        assert_eq!((request.anchor.text(), request.get_config), (None, false));
        assert_eq!(deltas(request.categories), [(1, false), (2, false)]);
        assert_eq!(deltas(request.classifications), [(9, false)]);
        assert_eq!(request.languages, None);
    }

    #[test]
    fn a_product_that_is_new_is_asked_for_from_the_beginning_and_the_anchor_stays() {
        let request = filter(&[1, 2], &[9], &[]).request(Some(&filter(&[1, 3], &[9], &[])), Some("a".to_owned()));
        assert_eq!(request.anchor.text(), Some("a"));
        assert_eq!(deltas(request.categories), [(1, true), (2, false)]);
        assert_eq!(deltas(request.classifications), [(9, true)]);
    }

    #[test]
    fn languages_have_deltas_of_their_own() {
        let request = filter(&[1], &[9], &[9, 7]).request(Some(&filter(&[1], &[9], &[9])), Some("a".to_owned()));
        let languages: Vec<(i32, bool)> =
            request.languages.expect("a list").into_iter().map(|id| (id.id, id.delta)).collect();
        assert_eq!(languages, [(7, false), (9, true)]);
        // all languages were had: each one chosen now was among them
        let request = filter(&[1], &[9], &[9]).request(Some(&filter(&[1], &[9], &[])), Some("a".to_owned()));
        assert!(request.languages.expect("a list").iter().all(|language| language.delta));
    }

    #[test]
    fn where_a_restriction_falls_away_the_anchor_does_too() {
        let replica = Filter::default();
        let request = replica.request(Some(&filter(&[1], &[9], &[])), Some("a".to_owned()));
        assert_eq!((request.anchor.text(), request.categories, request.classifications), (None, None, None));
        let request = filter(&[1], &[9], &[]).request(Some(&filter(&[1], &[9], &[9])), Some("a".to_owned()));
        assert_eq!((request.anchor.text(), deltas(request.categories)), (None, vec![(1, false)]));
        // after a list without a filter everything is known
        let request = filter(&[1], &[9], &[]).request(Some(&replica), Some("a".to_owned()));
        assert_eq!((request.anchor.text(), deltas(request.categories)), (Some("a"), vec![(1, true)]));
        let request = replica.request(Some(&replica), Some("a".to_owned()));
        assert_eq!((request.anchor.text(), request.categories), (Some("a"), None));
    }

    #[test]
    fn nothing_chosen_matches_nothing() {
        assert!(filter(&[], &[9], &[]).matches_nothing());
        assert!(filter(&[1], &[], &[]).matches_nothing());
        assert!(!filter(&[1], &[9], &[]).matches_nothing());
        assert!(!Filter::default().matches_nothing());
    }

    #[test]
    fn a_filter_is_stored_and_read_back() {
        let stored = serde_json::to_value(filter(&[1], &[9], &[7])).expect("writes");
        assert_eq!(serde_json::from_value::<Filter>(stored).expect("reads"), filter(&[1], &[9], &[7]));
    }
}
