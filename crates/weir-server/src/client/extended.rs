//! GetExtendedUpdateInfo and GetExtendedUpdateInfo2 (MS-WUSP 3.1.5.9, 2.2.2.2.10).

use std::collections::HashMap;

use weir_model::ids::RevisionId;
use weir_store::{ReadTx, StoreError};
use weir_wire::{
    soap::escape_into,
    wusp::{ExtendedWriter, FileLocation, FragmentType, GetExtendedUpdateInfo, GetExtendedUpdateInfo2},
};

use super::{
    call::{Call, Refusal, Reply},
    locations::Places,
    page::{FragmentSource, Page},
};
use crate::live::{Fragment, GIANT};

/// What a request wants of each revision.
struct Wanted {
    ids: Vec<RevisionId>,
    types: Vec<FragmentType>,
    locales: Vec<String>,
    region: Option<String>,
}

enum Text {
    Core(FragmentSource),
    Plain(String),
}

/// What the store has of it.
struct Found {
    fragments: Vec<(RevisionId, Text)>,
    files: Vec<FileLocation>,
}

impl Call<'_> {
    pub(super) async fn get_extended_update_info(&self, request: GetExtendedUpdateInfo) -> Result<Reply, Refusal> {
        self.cookie(request.sealed())?;
        request.validate(&self.bounds())?;
        let caller = self.caller(request.sealed()).await?;
        let asked = distinct(request.revision_ids);
        let (snapshot, scope) = (&caller.published.snapshot, &caller.scope.scope);
        let (ids, outside): (Vec<_>, Vec<_>) = asked.into_iter().partition(|id| snapshot.in_scope(scope, *id));
        let wanted = Wanted { ids, types: request.info_types, locales: request.locales, region: request.geo_id };
        self.extended(wanted, ExtendedWriter::by_revision(self.version), &outside, false).await
    }

    pub(super) async fn get_extended_update_info2(&self, request: GetExtendedUpdateInfo2) -> Result<Reply, Refusal> {
        self.cookie(request.sealed())?;
        request.validate(&self.bounds())?;
        let caller = self.caller(request.sealed()).await?;
        let (snapshot, scope) = (&caller.published.snapshot, &caller.scope.scope);
        let known = request.update_ids.iter().filter_map(|id| snapshot.revision(id.clone().into()));
        let ids = distinct(known.filter(|id| snapshot.in_scope(scope, *id)).collect());
        let wanted = Wanted { ids, types: request.info_types, locales: request.locales, region: None };
        self.extended(wanted, ExtendedWriter::by_identity(self.version), &[], true).await
    }

    async fn extended(
        &self,
        wanted: Wanted,
        writer: ExtendedWriter,
        outside: &[RevisionId],
        with_algorithm: bool,
    ) -> Result<Reply, Refusal> {
        let places = self.places();
        let found = self.state.read(move |tx| find(tx, &wanted, &places)).await?;
        let mut page = Page::with_capacity(4_096);
        writer.head(page.text());
        if !found.fragments.is_empty() {
            writer.updates_open(page.text());
            for (id, text) in &found.fragments {
                writer.update_open(page.text(), *id);
                match text {
                    Text::Core(source) => page.fragment(*id, source),
                    Text::Plain(text) => escape_into(page.text(), text),
                }
                writer.update_close(page.text());
            }
            writer.updates_close(page.text());
        }
        let locations: Vec<_> = found
            .files
            .into_iter()
            .map(|location| if with_algorithm { location.with_algorithm() } else { location })
            .collect();
        writer.tail(page.text(), &locations, outside);
        Ok(Reply::Page(page))
    }
}

/// Ascending, each once.
fn distinct(mut ids: Vec<RevisionId>) -> Vec<RevisionId> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// All fragments of one type, then all of the next, each by ascending id, as recorded.
fn find(tx: &ReadTx<'_>, wanted: &Wanted, places: &Places) -> Result<Found, StoreError> {
    let has = |kind| wanted.types.contains(&kind);
    let mut fragments = Vec::new();
    if has(FragmentType::Core) {
        fragments.extend(cores(tx, &wanted.ids)?.into_iter().map(|(id, source)| (id, Text::Core(source))));
    }
    if has(FragmentType::Extended) {
        let mut stored = tx.extended_fragments(&wanted.ids)?;
        fragments.extend(wanted.ids.iter().filter_map(|id| Some((*id, Text::Plain(stored.remove(id)?)))));
    }
    if has(FragmentType::LocalizedProperties) {
        let mut all = tx.localized_fragments_of(&wanted.ids)?;
        for id in &wanted.ids {
            let stored = all.remove(id).unwrap_or_default();
            let chosen = choose(stored.iter().map(|(language, _)| language.as_str()), &wanted.locales);
            let texts = stored.into_iter().zip(chosen).filter(|(_, chosen)| *chosen);
            fragments.extend(texts.map(|((_, text), _)| (*id, Text::Plain(text))));
        }
    }
    if has(FragmentType::Eula) {
        let mut all = tx.eula_fragments_of(&wanted.ids)?;
        for id in &wanted.ids {
            let stored = all.remove(id).unwrap_or_default();
            let chosen = choose(stored.iter().map(|eula| eula.language.as_str()), &wanted.locales);
            let here = |region: &Option<String>| match (region, &wanted.region) {
                (Some(region), Some(wanted)) => region.eq_ignore_ascii_case(wanted),
                (Some(_), None) => false,
                (None, _) => true,
            };
            let texts = stored.into_iter().zip(chosen).filter(|(eula, chosen)| *chosen && here(&eula.region));
            fragments.extend(texts.map(|(eula, _)| (*id, Text::Plain(eula.xml))));
        }
    }
    let files = tx.files_of(&wanted.ids)?;
    let files = files.iter().map(|(digest, name)| places.of(tx, *digest, name)).collect::<Result<_, _>>()?;
    Ok(Found { fragments, files })
}

/// Core fragments, in the order asked; large ones are read when they are sent.
fn cores(tx: &ReadTx<'_>, ids: &[RevisionId]) -> Result<Vec<(RevisionId, FragmentSource)>, StoreError> {
    let infos = tx.core_infos(ids)?;
    let is_giant = |id: &RevisionId| infos.get(id).is_some_and(|info| info.escaped_len > u64::from(GIANT));
    let whole: Vec<RevisionId> = ids.iter().filter(|id| !is_giant(id)).copied().collect();
    let mut escaped: HashMap<_, _> = tx.core_escaped_many(&whole)?.into_iter().collect();
    let source = |id: &RevisionId| {
        let source = if is_giant(id) {
            FragmentSource::Giant(*infos.get(id)?)
        } else {
            FragmentSource::Cached(Fragment::once(escaped.remove(id)?))
        };
        Some((*id, source))
    };
    Ok(ids.iter().filter_map(source).collect())
}

/// Which of the available languages answer a request: those it names, in any case; for a named one that is absent its
/// primary language (`en-US` falls back to `en`); and English always.
fn choose<'a>(available: impl Iterator<Item = &'a str> + Clone, requested: &[String]) -> Vec<bool> {
    let same = |a: &str, b: &str| a.trim().eq_ignore_ascii_case(b.trim());
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_owned();
    let mut wanted = vec!["en".to_owned()];
    for tag in requested {
        let present = available.clone().any(|language| same(language, tag));
        wanted.push(if present { tag.clone() } else { primary(tag) });
    }
    available.map(|language| wanted.iter().any(|tag| same(language, tag))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_fall_back_and_english_is_always_there() {
        fn chosen(available: &[&'static str], requested: &[&str]) -> Vec<&'static str> {
            let requested: Vec<String> = requested.iter().map(|&tag| tag.to_owned()).collect();
            let flags = choose(available.iter().copied(), &requested);
            available.iter().zip(flags).filter(|(_, chosen)| *chosen).map(|(tag, _)| *tag).collect()
        }
        assert_eq!(chosen(&["en", "de"], &["en-US", "en"]), ["en"]);
        assert_eq!(chosen(&["en", "de", "fr"], &["de"]), ["en", "de"]);
        assert_eq!(chosen(&["EN", "de-DE", "de"], &["DE-de"]), ["EN", "de-DE"]);
        assert_eq!(chosen(&["en", "zh-cn", "zh-tw"], &["zh-CN"]), ["en", "zh-cn"]);
        assert_eq!(chosen(&["en", "pt"], &["pt-BR"]), ["en", "pt"]);
        assert_eq!(chosen(&["de"], &["fr"]), [] as [&str; 0]);
    }
}
