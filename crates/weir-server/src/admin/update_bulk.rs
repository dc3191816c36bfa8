//! Changing many updates at once, and their licences.

use std::{
    collections::{BTreeSet, HashSet},
    io::Read as _,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use weir_api::{
    List, Reference,
    list::ListQuery,
    update_edit::{AwaitedLicence, Licence, UpdatesChange, UpdatesChanged},
};
use weir_model::{
    cleanup::MOST_DAYS,
    ids::{ContentDigest, UpdateId},
    run_time,
    update::Severity,
};
use weir_store::{
    ReadTx, StoreError, WriteTx, content::Content as _, content_file::ContentState, revision::RevisionRow,
    update_setting::UpdateSetting,
};

use super::{
    AdminError, App, Caller,
    index::severity_word,
    list,
    selection::known_language,
    update::{Named, can_be_declined, refuse_decline},
    update_list::matching,
};
use crate::{sites, sync::criteria};

/// Updates that one request may name.
const MOST_IDS: usize = 10_000;
/// Updates changed in one transaction: other writers wait no longer than for these.
const AT_ONCE: usize = 200;
/// Updates that the answer names.
const SAMPLES: usize = 20;
/// Bytes of a licence that are shown.
const LICENCE_BYTES: u64 = 4 << 20;

/// What becomes of each update. Outside: whether it is asked for; inside: none takes the own value away.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::option_option, reason = "absent, taken away and set are three things")]
struct Change {
    declined: Option<bool>,
    run_time: Option<Option<u32>>,
    severity: Option<Option<Severity>>,
}

impl Change {
    fn read(asked: &UpdatesChange) -> Result<Self, AdminError> {
        if asked.run_time_minutes.is_some() && asked.default_run_time {
            return Err(AdminError::invalid("run_time_minutes", "give run_time_minutes or default_run_time, not both"));
        }
        if let Some(minutes) = asked.run_time_minutes.filter(|it| !(run_time::LEAST..=run_time::MOST).contains(it)) {
            return Err(AdminError::Invalid {
                code: "run_time_minutes",
                detail: format!("run_time_minutes is {minutes}; it must be {} to {}", run_time::LEAST, run_time::MOST),
                next_step: Some("weir updates set ID --run-time 30".to_owned()),
            });
        }
        let severity = asked.custom_severity.as_deref().map(severity).transpose()?;
        let run_time = asked.run_time_minutes.map(Some).or(asked.default_run_time.then_some(None));
        let change = Self { declined: asked.declined, run_time, severity };
        if change.declined.is_none() && change.run_time.is_none() && change.severity.is_none() {
            return Err(AdminError::Invalid {
                code: "change",
                detail: "nothing is to be changed".to_owned(),
                next_step: Some("give declined, run_time_minutes, default_run_time or custom_severity".to_owned()),
            });
        }
        Ok(change)
    }

    /// As it would be set.
    fn of(self, before: UpdateSetting) -> UpdateSetting {
        let mut wanted = before;
        match self.run_time {
            Some(Some(minutes)) => (wanted.run_time_minutes, wanted.run_time_set) = (minutes, true),
            Some(None) => wanted.run_time_set = false,
            None => {}
        }
        wanted.custom_severity = self.severity.unwrap_or(before.custom_severity);
        wanted
    }

    /// Whether an update would be another one than before.
    fn differs(self, tx: &ReadTx<'_>, update: UpdateId) -> Result<bool, StoreError> {
        let declined = tx.update_flags(update)?.declined.is_some();
        let before = tx.update_setting(update)?;
        Ok(self.declined.is_some_and(|wanted| wanted != declined) || self.of(before) != before)
    }

    fn apply(self, tx: &WriteTx<'_>, update: UpdateId) -> Result<bool, StoreError> {
        let mut changed = false;
        if let Some(declined) = self.declined {
            let done = if declined { tx.update_decline(update)? } else { tx.update_undecline(update)? };
            if done {
                let action = if declined { "update.decline" } else { "update.undecline" };
                let (before, after) = (json!({ "declined": !declined }), json!({ "declined": declined }));
                tx.audit(action, &update.to_string(), Some(&before), Some(&after))?;
            }
            changed |= done;
        }
        let before = tx.update_setting(update)?;
        let wanted = self.of(before);
        if tx.update_setting_put(update, wanted)? {
            tx.audit("update.set", &update.to_string(), Some(&shown(before)), Some(&shown(wanted)))?;
            changed = true;
        }
        Ok(changed)
    }
}

fn shown(set: UpdateSetting) -> serde_json::Value {
    json!({
        "run_time_minutes": set.run_time_minutes, "run_time_set": set.run_time_set,
        "custom_severity": set.custom_severity.map(severity_word),
    })
}

fn severity(text: &str) -> Result<Option<Severity>, AdminError> {
    match text.trim().to_ascii_lowercase().as_str() {
        "none" => Ok(None),
        "low" => Ok(Some(Severity::Low)),
        "moderate" => Ok(Some(Severity::Moderate)),
        "important" => Ok(Some(Severity::Important)),
        "critical" => Ok(Some(Severity::Critical)),
        _ => Err(AdminError::Invalid {
            code: "custom_severity",
            detail: format!("{text:?} is no severity"),
            next_step: Some("give critical, important, moderate, low or none".to_owned()),
        }),
    }
}

/// Changes updates, or says what would be changed. What does not fit is refused before anything is changed; then updates
/// are changed in short transactions, each update as a whole.
pub(crate) async fn change(app: &App, caller: &Caller, asked: UpdatesChange) -> Result<UpdatesChanged, AdminError> {
    let change = Change::read(&asked)?;
    if !asked.preview {
        let what = if change.declined.is_some() { "Declines" } else { "Maximum run times and severities" };
        app.try_read(move |tx| sites::refuse_below(tx, what)).await?;
    }
    let (wanted, left_out) = chosen(app, &asked).await?;
    let matched = wanted.len() as u64;
    let mut answer = UpdatesChanged { matched, left_out, preview: asked.preview, ..UpdatesChanged::default() };
    for chunk in wanted.chunks(AT_ONCE) {
        let chunk = chunk.to_vec();
        let named = SAMPLES.saturating_sub(answer.samples.len());
        let (count, samples) = if asked.preview {
            app.read(move |tx| {
                let mut done = Done::new(named);
                for id in chunk {
                    if change.differs(tx, id)? {
                        let name = done.name(tx, id)?;
                        done.add(id, name);
                    }
                }
                Ok((done.count, done.samples))
            })
            .await?
        } else {
            app.write(caller, move |tx| {
                let mut done = Done::new(named);
                for id in chunk {
                    // taking a decline back forgets what was removed
                    let name = done.name(tx, id)?;
                    if change.apply(tx, id)? {
                        done.add(id, name);
                    }
                }
                Ok((done.count, done.samples))
            })
            .await?
        };
        answer.changed += count;
        answer.samples.extend(samples);
    }
    if answer.changed > 0 && !asked.preview {
        app.publish().await?;
    }
    Ok(answer)
}

/// What was, or would be, changed of a chunk.
struct Done {
    count: u64,
    samples: Vec<Reference>,
    room: usize,
}

impl Done {
    fn new(room: usize) -> Self {
        Self { count: 0, samples: Vec::new(), room }
    }

    /// The title of an update, while there is room for it.
    fn name(&self, tx: &ReadTx<'_>, id: UpdateId) -> Result<String, StoreError> {
        if self.samples.len() >= self.room {
            return Ok(String::new());
        }
        let name = match tx.update_show(id)? {
            Some(row) => row.title,
            // clean-up has removed it
            None => tx.purged_of(id)?.pop().map(|row| row.title).unwrap_or_default(),
        };
        Ok(list::short(name.trim()))
    }

    fn add(&mut self, id: UpdateId, name: String) {
        self.count += 1;
        if self.samples.len() < self.room {
            self.samples.push(Reference { id: id.0, name });
        }
    }
}

/// The updates that are asked for, each once, and how many a filter leaves out because others need them.
pub(super) async fn chosen(app: &App, asked: &UpdatesChange) -> Result<(Vec<UpdateId>, u64), AdminError> {
    let filter = asked.filter.as_deref().filter(|text| !text.trim().is_empty());
    if asked.ids.len() > MOST_IDS {
        return Err(AdminError::invalid("ids", format!("more than {MOST_IDS} updates are named; use a filter")));
    }
    if asked.ids.is_empty() == filter.is_none() && (filter.is_some() || asked.superseded_for_days.is_none()) {
        return Err(AdminError::Invalid {
            code: "ids",
            detail: "name updates by ids or by a filter, one of them".to_owned(),
            next_step: Some("weir updates list --filter EXPR shows what a filter leaves".to_owned()),
        });
    }
    let declining = asked.declined == Some(true);
    let mut left_out = 0;
    let mut wanted: Vec<UpdateId> = match filter {
        Some(text) => {
            let filter = super::update_list::expression(text)?;
            if declining {
                let needed = matching(app, &filter, |entry, _| !can_be_declined(entry.update_type)).await?;
                left_out = needed.len() as u64;
            }
            matching(app, &filter, move |entry, _| !declining || can_be_declined(entry.update_type)).await?
        }
        None => {
            let mut seen = HashSet::new();
            asked.ids.iter().map(|id| UpdateId(*id)).filter(|id| seen.insert(*id)).collect()
        }
    };
    if let Some(days) = asked.superseded_for_days {
        if days > MOST_DAYS {
            return Err(AdminError::invalid(
                "superseded_for_days",
                format!("superseded_for_days is {days}; it must be 0 to {MOST_DAYS}"),
            ));
        }
        let before = Timestamp::now() - SignedDuration::from_hours(24 * i64::from(days));
        let superseded = app.read(move |tx| superseded(tx, before)).await?;
        if asked.ids.is_empty() && filter.is_none() {
            wanted = superseded.into_iter().collect();
        } else {
            wanted.retain(|id| superseded.contains(id));
        }
    }
    if filter.is_none() && !asked.ids.is_empty() {
        let named = wanted.clone();
        app.try_read(move |tx| {
            for id in named {
                if tx.update_show(id)?.is_none() && tx.purged_of(id)?.is_empty() {
                    return Err(Named { id, revision: None }.missing());
                }
                if declining {
                    refuse_decline(tx, id)?;
                }
            }
            Ok(())
        })
        .await?;
    }
    Ok((wanted, left_out))
}

/// Updates that can be deployed and that something live superseded before that instant.
fn superseded(tx: &ReadTx<'_>, before: Timestamp) -> Result<BTreeSet<UpdateId>, StoreError> {
    let rows = criteria::catalogue(tx)?.into_iter();
    let since = |row: &weir_store::criterion::CriterionFacts| {
        row.superseded_by.iter().filter(|by| !by.withdrawn).filter_map(|by| by.created_at).min()
    };
    Ok(rows.filter(|row| since(row).is_some_and(|since| since <= before)).map(|row| row.update).collect())
}

/// Licences of live updates that nobody accepted.
pub(crate) async fn licences(app: &App, query: ListQuery) -> Result<List<AwaitedLicence>, AdminError> {
    let limit = list::limit(query.limit)?;
    let page = app.read(move |tx| tx.eula_awaited(query.cursor.as_deref(), limit)).await?;
    let items = page.items.into_iter().map(|row| AwaitedLicence {
        update: Reference { id: row.update.0, name: list::short(row.title.trim()) },
        eula: row.eula_id,
    });
    Ok(List { items: items.collect(), next: page.next })
}

/// The revision and its licence.
fn licensed(tx: &ReadTx<'_>, name: Named) -> Result<(RevisionRow, String), AdminError> {
    let rows = tx.revision_list_of(name.id)?;
    let row = match name.revision {
        Some(number) => rows.into_iter().find(|row| row.identity.revision == number),
        None => rows.into_iter().max_by_key(|row| row.identity.revision),
    };
    let row = row.ok_or_else(|| name.missing())?;
    match row.eula_id.clone() {
        Some(eula) => Ok((row, eula)),
        None => Err(AdminError::NotFound {
            kind: "licence",
            id: row.identity.to_string(),
            next_step: Some("the update has none, so it can be deployed at once".to_owned()),
        }),
    }
}

/// The licence of an update, with its text if that is here.
pub(crate) async fn licence(app: &App, name: Named, language: Option<&str>) -> Result<Licence, AdminError> {
    let language = known_language(language)?;
    let (licence, file) = app
        .try_read(move |tx| {
            let (row, eula) = licensed(tx, name)?;
            let files: Vec<_> =
                tx.revision_files(row.id)?.into_iter().filter_map(|it| Some((it.eula_language.clone()?, it))).collect();
            let languages: BTreeSet<String> = files.iter().map(|(language, _)| language.to_lowercase()).collect();
            let of = |wanted: &str| files.iter().find(|(language, _)| language.eq_ignore_ascii_case(wanted));
            let found = of(&language).or_else(|| of("en")).or_else(|| files.first());
            let stored = match found {
                Some((_, file)) => tx.content_file_show(file.digest)?,
                None => None,
            };
            let here = stored.filter(|it| it.state == ContentState::Verified).map(|it| (it.digest, it.extension));
            let accepted = tx.eula_is_accepted(&eula)?;
            let accepted_by = tx.update_flags(row.identity.update_id)?.eula_accepted.map(|(by, _)| by);
            let id = row.identity.update_id;
            let next_step = match (&here, accepted) {
                (None, _) if found.is_some() => {
                    Some("its file is not here yet; weir content status tells how fetching stands".to_owned())
                }
                (_, false) => Some(format!("weir updates eula accept {id}")),
                _ => None,
            };
            let licence = Licence {
                update: Reference { id: id.0, name: list::short(row.title.trim()) },
                eula,
                accepted,
                accepted_by,
                languages: languages.into_iter().collect(),
                language: found.map(|(language, _)| language.to_lowercase()),
                file: found.map(|(_, file)| file.name.clone()),
                text: None,
                next_step,
            };
            Ok((licence, here))
        })
        .await?;
    let text = match file {
        Some((digest, extension)) => read_text(app, digest, extension).await?,
        None => None,
    };
    Ok(Licence { text, ..licence })
}

async fn read_text(app: &App, digest: ContentDigest, extension: String) -> Result<Option<String>, AdminError> {
    let content = app.state.content.clone();
    super::blocking(move || {
        let Some((file, _)) = content.open(digest, &extension)? else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = file.take(LICENCE_BYTES).read_to_end(&mut bytes);
        read.map_err(|error| AdminError::Internal(format!("reading a licence: {error}")))?;
        Ok(Some(decoded(&bytes)))
    })
    .await
}

/// Licences are UTF-16 with a mark, UTF-8, or a code page of Windows, of which only the plain part is sure.
pub(super) fn decoded(bytes: &[u8]) -> String {
    let units = |wide: fn([u8; 2]) -> u16, rest: &[u8]| {
        let units: Vec<u16> = rest.as_chunks::<2>().0.iter().map(|pair| wide(*pair)).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => units(u16::from_le_bytes, rest),
        [0xFE, 0xFF, rest @ ..] => units(u16::from_be_bytes, rest),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
        },
    }
}

/// Accepts the licence of an update, for every update that has it. That is not taken back: computers were told of it, and
/// have installed what it covers.
pub(crate) async fn accept(app: &App, caller: &Caller, name: Named) -> Result<Licence, AdminError> {
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Licences")?;
        let (row, eula) = licensed(tx, name)?;
        let id = row.identity.update_id;
        if tx.update_accept_eula(id, &eula)? {
            tx.audit("eula.accept", &id.to_string(), None, Some(&json!({ "eula": eula })))?;
        }
        Ok(())
    })
    .await?;
    app.publish().await?;
    licence(app, name, None).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_read_in_the_codings_that_they_come_in() {
        assert_eq!(decoded(b"plain"), "plain");
        assert_eq!(decoded(b"\xEF\xBB\xBFmarked"), "marked");
        assert_eq!(decoded(b"\xFF\xFEA\0\xE4\0"), "A\u{e4}");
        assert_eq!(decoded(b"\xFE\xFF\0A\0\xE4"), "A\u{e4}");
        assert_eq!(decoded(b"\xA9 1998"), "\u{a9} 1998");
    }

    #[test]
    fn a_change_is_complete_and_within_bounds() {
        let read = |asked: UpdatesChange| Change::read(&asked).map_err(|error| error.problem().code);
        let minutes = |minutes| UpdatesChange { run_time_minutes: Some(minutes), ..UpdatesChange::default() };
        assert_eq!(read(UpdatesChange::default()).expect_err("nothing"), "change");
        for (value, fits) in [(4, false), (5, true), (9_999, true), (10_000, false)] {
            assert_eq!(read(minutes(value)).is_ok(), fits, "{value}");
        }
        let both = UpdatesChange { default_run_time: true, ..minutes(30) };
        assert_eq!(read(both).expect_err("both"), "run_time_minutes");
        for (word, fits) in [("Critical", true), ("low", true), ("none", true), ("severe", false), ("", false)] {
            let asked = UpdatesChange { custom_severity: Some(word.to_owned()), ..UpdatesChange::default() };
            assert_eq!(read(asked).is_ok(), fits, "{word}");
        }
    }
}
