//! A schedule of a report as it is filled in: from a stored one, from an address, from a form.

use std::collections::BTreeMap;

use weir_api::report::{Report, ReportSchedule, ReportScheduleChange, ReportScheduleCreate};

use crate::{address::Address, ui::schedule::Schedule};

/// What keeps names of parameters apart from others in the form.
pub(super) const PARAMETER: &str = "p-";

/// What the form holds, as it was typed.
#[derive(Clone, Debug)]
pub(super) struct Filled {
    pub(super) name: String,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) schedule: Schedule,
    pub(super) format: String,
    pub(super) limit: String,
    pub(super) addresses: String,
    pub(super) to_folder: bool,
    pub(super) folder: String,
    pub(super) keep: String,
    pub(super) enabled: bool,
}

impl Filled {
    /// A new one, asked what the address says.
    pub(super) fn fresh(address: &Address, report: &Report) -> Self {
        let given = report
            .parameters
            .iter()
            .filter_map(|parameter| Some((parameter.name.clone(), address.value(&parameter.name)?.to_owned())));
        Self {
            name: report.title.clone(),
            parameters: given.collect(),
            schedule: Schedule::read("weekly monday at 06:00"),
            format: "html".to_owned(),
            limit: String::new(),
            addresses: String::new(),
            to_folder: true,
            folder: String::new(),
            keep: String::new(),
            enabled: true,
        }
    }

    /// A stored one.
    pub(super) fn stored(row: &ReportSchedule) -> Self {
        Self {
            name: row.name.clone(),
            parameters: row.parameters.clone(),
            schedule: Schedule::read(&row.schedule),
            format: row.format.clone(),
            limit: row.limit.to_string(),
            addresses: row.addresses.join("\n"),
            to_folder: row.folder.is_some(),
            folder: row.folder.clone().unwrap_or_default(),
            keep: row.keep.to_string(),
            enabled: row.enabled,
        }
    }

    /// What was sent.
    pub(super) fn sent(pairs: &[(String, String)]) -> Self {
        let value = |name: &str| {
            let found = pairs.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let parameters = pairs.iter().filter_map(|(name, value)| {
            let value = value.trim();
            Some((name.strip_prefix(PARAMETER)?.to_owned(), value.to_owned())).filter(|_| !value.is_empty())
        });
        Self {
            name: value("name"),
            parameters: parameters.collect(),
            schedule: Schedule::sent(pairs),
            format: value("format"),
            limit: value("limit"),
            addresses: value("addresses"),
            to_folder: value("to_folder") == "1",
            folder: value("folder"),
            keep: value("keep"),
            enabled: value("enabled") == "1",
        }
    }

    fn receivers(&self) -> Vec<String> {
        self.addresses
            .split([',', ';', '\n', ' ', '\r'])
            .map(str::trim)
            .filter(|it| !it.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// A number that was typed; `Err` is the name of the field in which there is none.
    fn number(name: &'static str, text: &str) -> Result<Option<u32>, &'static str> {
        if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|_| name) }
    }

    /// What makes it; `Err` is the name of a field that holds no number.
    pub(super) fn create(&self, report: &str) -> Result<ReportScheduleCreate, &'static str> {
        Ok(ReportScheduleCreate {
            name: self.name.clone(),
            report: report.to_owned(),
            parameters: self.parameters.clone(),
            schedule: self.schedule.text(),
            format: Some(self.format.clone()).filter(|format| !format.is_empty()),
            limit: Self::number("limit", &self.limit)?,
            addresses: self.receivers(),
            folder: self.to_folder.then(|| self.folder.clone()),
            keep: Self::number("keep", &self.keep)?,
            enabled: Some(self.enabled),
        })
    }

    /// What changes a stored one into it.
    pub(super) fn change(&self) -> Result<ReportScheduleChange, &'static str> {
        Ok(ReportScheduleChange {
            name: Some(self.name.clone()),
            report: None,
            parameters: Some(self.parameters.clone()),
            schedule: Some(self.schedule.text()),
            format: Some(self.format.clone()).filter(|format| !format.is_empty()),
            limit: Self::number("limit", &self.limit)?,
            addresses: Some(self.receivers()),
            folder: self.to_folder.then(|| self.folder.clone()),
            no_folder: !self.to_folder,
            keep: Self::number("keep", &self.keep)?,
            enabled: Some(self.enabled),
        })
    }
}
