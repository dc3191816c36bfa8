//! Vulnerabilities that computers are exposed to, by severity and age.

use maud::Markup;
use weir_api::exposure::{CveAge, CveCount};

use super::words::SEVERITIES;
use crate::{
    address::Address,
    cx::Cx,
    texts::exposure as t,
    ui::{self, chart},
};

/// Ages, youngest first.
pub(super) const AGES: [CveAge; 7] =
    [CveAge::Week, CveAge::Month, CveAge::Quarter, CveAge::Half, CveAge::Year, CveAge::Older, CveAge::Unknown];

/// The map; each cell leads to its vulnerabilities.
pub(super) fn map(cx: &Cx, counted: &[CveCount]) -> Markup {
    let mut counts = vec![vec![0_u64; AGES.len()]; SEVERITIES.len()];
    for count in counted {
        let row = SEVERITIES.iter().position(|severity| *severity == count.severity);
        let column = AGES.iter().position(|age| *age == count.age);
        let (Some(row), Some(column)) = (row, column) else { continue };
        if let Some(cell) = counts.get_mut(row).and_then(|row| row.get_mut(column)) {
            *cell += count.cves;
        }
    }
    let rows: Vec<(String, Vec<u64>)> = SEVERITIES
        .iter()
        .zip(counts)
        .map(|(severity, counts)| (crate::texts::common::severity(cx, severity), counts))
        .collect();
    let columns: Vec<String> = AGES.iter().map(ui::word).collect();
    let heads: Vec<String> = columns.iter().map(|column| t::age(cx, column)).collect();
    let base = cx.to("/updates/exposure").with("state", "exposed");
    let base = cx.address.value("collection").map_or(base.clone(), |collection| base.with("collection", collection));
    chart::heat(cx, t::heat(cx), &heads, &rows, |row, column| link(&base, row, &columns, column))
}

fn link(base: &Address, row: usize, columns: &[String], column: usize) -> Option<String> {
    Some(base.with("severity", SEVERITIES.get(row)?).with("age", columns.get(column)?).to_string())
}
