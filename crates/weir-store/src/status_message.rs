//! Status messages: what happened at this site, newest first, bounded by age and by number.

use jiff::Timestamp;
use serde_json::{Map, Value};
use weir_model::message::{Component, LONGEST_PARAMETER, Meaning, MessageSeverity, tidy};

use crate::{
    Page, ReadTx, StoreError, WriteTx,
    codec::args,
    page::{cursor_number, page_rows},
    sql::statements,
};

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusMessageRow {
    /// Its place among all of them.
    pub no: i64,
    /// When it happened.
    pub at: Timestamp,
    /// How bad it is.
    pub severity: MessageSeverity,
    /// Which part of the server says it. A word: other versions know other parts.
    pub component: String,
    /// The number of its meaning.
    pub code: u32,
    /// In words.
    pub text: String,
    /// What stands in the text, as a JSON object.
    pub parameters: Value,
    /// Kind and id of what it is about.
    pub about: Option<(String, String)>,
}

/// Which messages to list.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StatusMessageFilter {
    /// Of this part of the server.
    pub component: Option<Component>,
    /// At least so bad.
    pub least: Option<MessageSeverity>,
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// With this in the text, without regard to the case of ASCII letters.
    pub text: Option<String>,
    /// With this meaning.
    pub code: Option<u32>,
}

statements! {
    MESSAGE_PAGE: "listing status messages" =
        "SELECT message_no, at, severity, component, code, text, parameters, about_kind, about FROM status_message
         WHERE message_no < ?1 AND (?2 IS NULL OR component = ?2) AND severity >= ?3 AND at >= ?4
             AND (?5 IS NULL OR instr(lower(text), ?5) > 0) AND (?6 IS NULL OR code = ?6)
         ORDER BY message_no DESC LIMIT ?7",
        postgres "SELECT message_no, at, severity, component, code, text, parameters, about_kind, about FROM status_message
         WHERE message_no < ?1 AND (CAST(?2 AS TEXT) IS NULL OR component = ?2) AND severity >= ?3 AND at >= ?4
             AND (CAST(?5 AS TEXT) IS NULL OR strpos(lower(text), ?5) > 0) AND (CAST(?6 AS BIGINT) IS NULL OR code = ?6)
         ORDER BY message_no DESC LIMIT ?7";
    MESSAGE_INSERT: "writing a status message" =
        "INSERT INTO status_message (at, severity, component, code, text, parameters, about_kind, about)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    MESSAGE_KEPT: "looking for the oldest status message to keep" =
        "SELECT message_no FROM status_message WHERE message_no < ?1 ORDER BY message_no DESC LIMIT 1 OFFSET ?2";
    MESSAGE_PRUNE_OLD: "deleting old status messages" =
        "DELETE FROM status_message WHERE message_no IN
             (SELECT m.message_no FROM status_message m WHERE m.at < ?1 ORDER BY m.at, m.message_no LIMIT ?2)";
    MESSAGE_PRUNE_MANY: "deleting status messages beyond their number" =
        "DELETE FROM status_message WHERE message_no IN
             (SELECT m.message_no FROM status_message m WHERE m.message_no <= ?1 ORDER BY m.message_no LIMIT ?2)";
}

/// Characters of what a message is about.
const LONGEST_ABOUT: usize = 200;

impl ReadTx<'_> {
    /// Messages, newest first.
    pub fn status_message_page(
        &self,
        filter: &StatusMessageFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<StatusMessageRow>, StoreError> {
        let before: i64 = cursor_number(cursor, i64::MAX)?;
        let text = filter.text.as_ref().map(|text| text.to_ascii_lowercase());
        let values = args![
            before,
            filter.component.map(Component::word),
            filter.least.unwrap_or(MessageSeverity::Information),
            filter.since.unwrap_or(Timestamp::MIN),
            text.as_deref(),
            filter.code,
            page_rows(limit),
        ];
        let rows = self.all(&MESSAGE_PAGE, values, |row| {
            let kind = row.opt_text(7)?;
            Ok(StatusMessageRow {
                no: row.int(0)?,
                at: row.time(1)?,
                severity: row.coded(2)?,
                component: row.text(3)?,
                code: row.int(4)?,
                text: row.text(5)?,
                parameters: row.json(6)?,
                about: kind.zip(row.opt_text(8)?),
            })
        })?;
        Ok(Page::cut(rows, limit, |row| row.no.to_string()))
    }
}

impl WriteTx<'_> {
    /// Says that something happened, at the time of this transaction's actor: a meaning of
    /// [`weir_model::message`], what stands in its text, and the kind and id of what it is about. Nothing is said if the
    /// transaction does not come to its end.
    pub fn status_message(
        &self,
        meaning: &Meaning,
        parameters: &[(&str, String)],
        about: Option<(&str, &str)>,
    ) -> Result<(), StoreError> {
        self.status_message_of(meaning.component, meaning, parameters, about)
    }

    /// The same for another part of the server than the one of the meaning.
    pub(crate) fn status_message_of(
        &self,
        component: Component,
        meaning: &Meaning,
        parameters: &[(&str, String)],
        about: Option<(&str, &str)>,
    ) -> Result<(), StoreError> {
        let kept: Map<String, Value> = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::String(tidy(value, LONGEST_PARAMETER))))
            .collect();
        let kept = Value::Object(kept).to_string();
        let text = meaning.text(parameters);
        let id = about.map(|(_, id)| tidy(id, LONGEST_ABOUT));
        let values = args![
            self.actor().at,
            meaning.severity,
            component.word(),
            meaning.id,
            &text,
            &kept,
            about.map(|(kind, _)| kind),
            id.as_deref(),
        ];
        self.run(&MESSAGE_INSERT, values)?;
        Ok(())
    }

    /// Deletes messages from before a time, and those beyond the newest `keep`; at most so many of each. Returns how many.
    pub fn status_message_prune(&self, before: Timestamp, keep: u32, most: u32) -> Result<u64, StoreError> {
        let mut deleted = self.run(&MESSAGE_PRUNE_OLD, args![before, most])? as u64;
        let last: Option<i64> = self.first(&MESSAGE_KEPT, args![i64::MAX, keep], |row| row.int(0))?;
        if let Some(last) = last {
            deleted += self.run(&MESSAGE_PRUNE_MANY, args![last, most])? as u64;
        }
        Ok(deleted)
    }
}
