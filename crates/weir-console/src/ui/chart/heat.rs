//! A heat map: numbers by row and column.

use maud::{Markup, html};

use crate::{cx::Cx, ui};

/// Numbers by row and column; the darker, the more. It is a table, so that it says itself what it shows. `link` makes the address
/// of what is behind a cell.
pub(crate) fn heat(
    cx: &Cx,
    title: &str,
    columns: &[String],
    rows: &[(String, Vec<u64>)],
    link: impl Fn(usize, usize) -> Option<String>,
) -> Markup {
    let most = rows.iter().flat_map(|(_, cells)| cells.iter().copied()).max().unwrap_or_default();
    html! {
        figure.chart {
            figcaption { (title) }
            div.scroll {
                table.heat {
                    caption.hide { (title) }
                    thead { tr { td {} @for column in columns { th scope="col" { (column) } } } }
                    tbody {
                        @for (row, (label, cells)) in rows.iter().enumerate() {
                            tr {
                                th scope="row" { (label) }
                                @for (column, count) in cells.iter().enumerate() {
                                    td.number.{ "heat-" (level(*count, most)) } {
                                        @match link(row, column).filter(|_| *count > 0) {
                                            Some(address) => a href=(address) { (ui::number(cx, *count)) },
                                            None => (ui::number(cx, *count)),
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// One of five levels; 0 is nothing. The steps are logarithmic: ten of a thousand are seen.
fn level(count: u64, most: u64) -> u8 {
    if count == 0 {
        return 0;
    }
    let share = (count as f64 + 1.0).ln() / (most as f64 + 1.0).ln().max(f64::MIN_POSITIVE);
    ((share * 5.0).ceil() as u8).clamp(1, 5)
}

#[cfg(test)]
mod tests {
    use super::level;

    #[test]
    fn levels_are_logarithmic() {
        assert_eq!([level(0, 1000), level(1, 1000), level(30, 1000), level(1000, 1000), level(1, 1)], [0, 1, 3, 5, 5]);
    }
}
