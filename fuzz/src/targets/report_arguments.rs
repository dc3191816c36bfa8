//! Parameters of reports: `name=value` in lines behind the name of a report. What is accepted names parameters of that report only.

use weir_model::report::{Arguments, REPORTS, named};

pub(super) fn run(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let (name, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let given = || rest.lines().filter_map(|line| line.split_once('='));
    let mut is_read = false;
    for report in REPORTS.iter().filter(|report| report.id == name || name == "*") {
        assert_eq!(named(report.id).map(|known| known.id), Some(report.id));
        let first = Arguments::read(report, given());
        assert_eq!(Arguments::read(report, given()), first);
        if let Ok(arguments) = first {
            assert_eq!(arguments.report().id, report.id);
            is_read = true;
        }
    }
    is_read
}
