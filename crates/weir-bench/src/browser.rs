//! The console in a real browser: `tests/console/measure.mjs` opens every area, and says when each was usable.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use crate::measure::{Limit, Row};

/// Milliseconds until a screen is usable (design, section 9).
const BUDGET_MS: f64 = 400.0;
/// The case of the budget.
const CASE: &str = "usable, slowest screen";

/// A server whose console is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    /// Address of its admin plane.
    pub(crate) admin: &'a str,
    /// Its data folder.
    pub(crate) data: &'a Path,
    /// A sign-in link that nobody has used.
    pub(crate) link: &'a str,
    /// Where the module puts what it found.
    pub(crate) out: &'a Path,
}

/// What the module found.
#[derive(Debug, Deserialize)]
pub(crate) struct Found {
    loads: usize,
    screens: Vec<Screen>,
}

#[derive(Debug, Deserialize)]
struct Screen {
    address: String,
    usable_ms: f64,
}

/// Runs the module of the folder `modules` with the packages that are installed in `packages`.
pub(crate) fn measure(modules: &Path, packages: &Path, target: &Target<'_>) -> anyhow::Result<Found> {
    let script =
        fs::canonicalize(modules.join("measure.mjs")).context("the folder of the modules has no measure.mjs")?;
    fs::create_dir_all(target.out)?;
    let output = Command::new("node")
        .arg(script)
        .current_dir(packages)
        .env("WEIR_URL", target.admin)
        .env("WEIR_CA", fs::canonicalize(target.data.join("tls/ca.pem"))?)
        .env("WEIR_OUT", fs::canonicalize(target.out)?)
        .env("WEIR_LINK", target.link)
        .stdin(Stdio::null())
        .output()
        .context("node is not installed")?;
    let (told, complaints) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "measure.mjs: {}: {told}{complaints}", output.status);
    let found: Found =
        serde_json::from_slice(&fs::read(target.out.join("measured.json"))?).context("reading what it found")?;
    ensure!(!found.screens.is_empty(), "measure.mjs opened no screen");
    Ok(found)
}

/// The row of a size, whether it was measured or not. A browser that does not start is no fault of the console's.
pub(crate) fn row(found: Option<anyhow::Result<Found>>, computers: usize) -> Row {
    let none = |budget: String| Row {
        case: CASE.to_owned(),
        revisions: computers,
        value: f64::NAN,
        unit: "ms",
        budget,
        ..Row::default()
    };
    match found {
        None => none("name the folder of the modules with --browser DIR".to_owned()),
        Some(Err(error)) => none(format!("the browser: {error:#}")),
        Some(Ok(found)) => {
            let slowest = found.screens.iter().max_by(|one, other| one.usable_ms.total_cmp(&other.usable_ms));
            let (address, value) = slowest.map_or(("", f64::NAN), |screen| (screen.address.as_str(), screen.usable_ms));
            let budget = format!("{address}, of {} screens; the median of {} loads", found.screens.len(), found.loads);
            Row { value, pairs: found.loads, ..none(budget) }.within([Limit::most(BUDGET_MS)])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_screen_is_judged() {
        let text = r#"{"loads": 3, "script_style_bytes": 9, "screens": [
            {"screen": "/", "address": "/", "usable_ms": 90.5, "html_bytes": 1},
            {"screen": "updates", "address": "/updates", "usable_ms": 410.0}]}"#;
        let row = row(Some(Ok(serde_json::from_str(text).expect("JSON"))), 500);
        assert_eq!((row.met, row.revisions, row.pairs), (Some(false), 500, 3));
        assert!((row.value - 410.0).abs() < 1e-9 && row.budget.starts_with("/updates, of 2 screens"), "{row:?}");
    }

    #[test]
    fn without_a_browser_nothing_is_judged() {
        for found in [None, Some(Err(anyhow::anyhow!("node is not installed")))] {
            let row = row(found, 500);
            assert!(row.met.is_none() && !row.is_measured() && !row.budget.is_empty(), "{row:?}");
        }
    }
}
