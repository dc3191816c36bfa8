//! Which updates computers are asked about: what they reported of others does not count.

use std::collections::HashMap;

use weir_model::{
    fnv::Fnv,
    ids::{ChangeNumber, CollectionId, UpdateId},
    status::UpdateNumber,
};
use weir_store::{ReadTx, StoreError};

use crate::live::{Directory, Published};

/// Live updates that reports list, of one state of the catalogue.
#[derive(Debug, Default)]
pub struct StatusView {
    /// The state.
    pub(crate) change: Option<ChangeNumber>,
    /// The articles are in it.
    pub(crate) with_articles: bool,
    /// Another mark means that rules over reported states may hold for others.
    pub(crate) mark: u64,
    asked: HashMap<UpdateNumber, Asked>,
}

#[derive(Debug)]
struct Asked {
    update: UpdateId,
    articles: Vec<String>,
}

impl StatusView {
    /// Everything that a computer is asked about for which no collection narrows it.
    pub(crate) fn read(
        tx: &ReadTx<'_>,
        published: &Published,
        directory: &Directory,
        with_articles: bool,
    ) -> Result<Self, StoreError> {
        let scope = published.scope(&directory.group_set(&[CollectionId::ALL_COMPUTERS]));
        let offers = published.snapshot.offers(&scope.scope).into_iter().filter(|offer| offer.reportable);
        let mut asked: HashMap<UpdateNumber, Asked> = offers
            .filter_map(|offer| {
                let update = offer.identity.update_id;
                Some((published.status_number(update)?, Asked { update, articles: Vec::new() }))
            })
            .collect();
        if with_articles {
            for (number, articles) in tx.update_articles()? {
                if let Some(asked) = asked.get_mut(&UpdateNumber(number)) {
                    asked.articles = articles.into_iter().map(|article| folded(&article)).collect();
                }
            }
        }
        let mut numbers: Vec<_> = asked.iter().collect();
        numbers.sort_by_key(|(number, _)| **number);
        let mut mark = Fnv::default();
        for (number, asked) in numbers {
            mark.bytes(&number.0.to_le_bytes());
            asked.articles.iter().for_each(|article| mark.bytes(article.as_bytes()));
        }
        let mark = mark.0;
        Ok(Self { change: Some(published.change()), with_articles, mark, asked })
    }

    /// All of them.
    pub(crate) fn updates(&self) -> impl Iterator<Item = UpdateNumber> {
        self.asked.keys().copied()
    }

    pub(super) fn asks(&self, update: UpdateNumber) -> bool {
        self.asked.contains_key(&update)
    }

    /// Hands the id and the articles of an update to `each`, until it returns true.
    pub(super) fn names(&self, update: UpdateNumber, mut each: impl FnMut(&str) -> bool) -> bool {
        self.asked.get(&update).is_some_and(|asked| {
            each(&asked.update.0.as_hyphenated().to_string()) || asked.articles.iter().any(|article| each(article))
        })
    }
}

/// An article as rules name it.
fn folded(article: &str) -> String {
    let lower = article.trim().to_lowercase();
    lower.strip_prefix("kb").map_or_else(|| lower.clone(), |number| number.trim().to_owned())
}
